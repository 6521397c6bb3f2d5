/**
 * Bundles the packages' sources into their `dist`, beside the declarations that `tsc` writes:
 *
 *     node scripts/bundle.mjs                  every bundle, each to its place
 *     node scripts/bundle.mjs embedded FOLDER  one of them, to a folder of its own
 *
 * A module costs more to find and to load than to run: the mapper's hundred files took four times as long to import as
 * these few. Every bundle is made anew each time, which takes less time than to find out whether it is stale.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Each entry is a script of that name, made from that file of `src`. The entries of a bundle share what several of them need, so that a class is the same whichever entry it came from.
 *
 * @typedef {{ readonly folder: string, readonly entries: Readonly<Record<string, string>>, readonly chunks: string, readonly groups?: object[] }} Bundle
 * @type {Readonly<Record<string, Bundle>>}
 */
const bundles = {
  embedded: { folder: 'packages/embedded', entries: { index: 'index.ts', bin: 'bin.ts' }, chunks: 'chunks' },
  'data-bridge': {
    folder: 'packages/data-bridge',
    entries: {
      index: 'index.ts',
      zod: 'zod.ts',
      extensions: 'extensions.ts',
      testing: 'testing/document-equality.ts',
    },
    chunks: 'chunks',
    // What extensions need is one chunk, though not all of it is needed by the others; whatever else is shared is another.
    groups: [
      {
        name: 'schema',
        test: /src[\\/](?:schema[\\/](?:identi|unique|bson-types|schema-library|field-marks)|definition[\\/]authorship|model[\\/]extension)/,
      },
      { name: 'document', test: /src[\\/]/, minShareCount: 2 },
    ],
  },
  // What the benchmarks measure of the mapper's inside. Not published.
  codec: {
    folder: 'packages/data-bridge',
    entries: {
      'bson/decode': 'bson/decode.ts',
      'bson/equal-bytes': 'bson/equal-bytes.ts',
      'bson/layout': 'bson/layout.ts',
      'bson/locate': 'bson/locate.ts',
    },
    chunks: 'bson/chunks',
  },
};

/**
 * Whatever is not minified keeps its names in stack traces. The maps name the sources, which are published too, and do
 * not quote them: they are for debuggers and `node --enable-source-maps`, and nobody else reads them.
 *
 * @param {Bundle} bundle
 * @returns {Promise<Map<string, string>>} The files' texts by their paths.
 */
async function filesOf({ folder, entries, chunks, groups = [] }) {
  const cwd = join(root, folder);
  const build = await rolldown({
    cwd,
    input: Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, `src/${source}`])),
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !/^[A-Za-z]:/.test(id),
    platform: 'node',
    tsconfig: join(cwd, 'tsconfig.json'),
    onLog(_level, log) {
      throw new Error(`${folder}: ${log.message}`);
    },
  });
  try {
    const { output } = await build.generate({
      dir: join(cwd, 'dist'),
      entryFileNames: '[name].js',
      // Without a hash: the package is published whole, and a file that did not change keeps its name.
      chunkFileNames: `${chunks}/[name].js`,
      codeSplitting: { groups },
      minifyInternalExports: false,
      // They stand in the declarations and in the sources.
      comments: { jsdoc: false },
      sourcemap: true,
      sourcemapExcludeSources: true,
    });
    return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(file.source)]));
  } finally {
    await build.close();
  }
}

/**
 * Touches only what is different: another process may be running it.
 *
 * @param {string} folder
 * @param {ReadonlyMap<string, string>} files
 */
async function write(folder, files) {
  for (const [name, text] of files) {
    const path = join(folder, name);
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/**
 * Removes what earlier builds have left: scripts that no bundle has, and declarations whose source is gone.
 *
 * @param {string} folder
 * @param {ReadonlySet<string>} scripts
 */
async function prune(folder, scripts) {
  const sources = new Set(await readdir(join(root, folder, 'src'), { recursive: true }));
  const dist = join(root, folder, 'dist');
  for (const file of await readdir(dist, { recursive: true })) {
    const path = file.replaceAll('\\', '/');
    const source = file.replace(/\.d\.ts(?:\.map)?$/, '.ts');
    const isStale = source === file ? /\.js(?:\.map)?$/.test(file) && !scripts.has(path) : !sources.has(source);
    if (isStale) await rm(join(dist, file));
  }
}

async function bundleAll() {
  /** @type {Map<string, Set<string>>} */
  const written = new Map();
  const built = Object.values(bundles).map(async (bundle) => ({ bundle, files: await filesOf(bundle) }));
  for (const { bundle, files } of await Promise.all(built)) {
    await write(join(root, bundle.folder, 'dist'), files);
    const names = written.get(bundle.folder) ?? new Set();
    written.set(bundle.folder, new Set([...names, ...files.keys()]));
  }
  for (const [folder, names] of written) await prune(folder, names);
}

const [name, folder] = process.argv.slice(2);
if (name === undefined) await bundleAll();
else {
  const bundle = bundles[name];
  if (bundle === undefined || folder === undefined) {
    throw new Error(`Expected nothing, or one of ${Object.keys(bundles).join(', ')} and a folder.`);
  }
  await write(folder, await filesOf(bundle));
}
