import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../../../../', import.meta.url).pathname;
const tsc = join(root, 'node_modules/typescript/bin/tsc');

export interface Compiled {
  readonly instantiations: number;
  /** Every error as the compiler prints it. */
  readonly errors: readonly string[];
}

/**
 * Compiles TypeScript files in a folder of their own, on one thread, with this package as its users see it: by its
 * declarations.
 *
 * @param files their texts by name.
 * @param options `whole`: errors with all their lines.
 */
export async function compile(files: Readonly<Record<string, string>>, { whole = false } = {}): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), 'data-bridge-types-'));
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(await settings(folder)));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'src', name), text);
    return read(await run(['-p', folder, '--extendedDiagnostics', '--singleThreaded']), whole);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function settings(folder: string): Promise<object> {
  return {
    compilerOptions: {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      paths: { 'data-bridge': [join(await declarations(folder), 'index.d.ts')] },
    },
    include: ['src'],
  };
}

/** The package's declarations, freshly made. */
async function declarations(folder: string): Promise<string> {
  const target = join(folder, 'declarations');
  const project = join(root, 'packages/data-bridge');
  const emit = ['--emitDeclarationOnly', '--composite', 'false', '--incremental', 'false', '--tsBuildInfoFile', 'null'];
  await run(['-p', project, ...emit, '--outDir', target]);
  return target;
}

/** What the compiler prints. It ends with 1 or 2 where there are errors, which are part of that. */
function run(parameters: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...parameters], { maxBuffer: 1e8 }, (_error, stdout) => resolve(stdout));
  });
}

function read(output: string, whole: boolean): Compiled {
  const instantiations = Number(/^Instantiations:\s+(\d+)$/m.exec(output)?.[1]);
  if (!(instantiations > 0)) throw new Error(`Expected the compiler's diagnostics, got: ${output.slice(0, 2000)}`);
  const lines = output.split('\n');
  // Further lines of an error are indented.
  const errors = whole ? output.split(/\n(?! )/) : lines;
  return { instantiations, errors: errors.filter((text) => text.includes(': error TS')) };
}
