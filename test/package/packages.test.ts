import { posix } from 'node:path';
import * as cli from '@data-bridge/cli';
import * as embedded from '@data-bridge/embedded';
import * as mapper from 'data-bridge';
import * as extensions from 'data-bridge/extensions';
import * as testing from 'data-bridge/testing';
import * as zod from 'data-bridge/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mistakes, prelude } from './mistakes.ts';
import { compilers, packages, Project } from './project.ts';
import { sourcesIn } from '../support/sources.ts';

const entries = {
  'data-bridge': mapper,
  'data-bridge/zod': zod,
  'data-bridge/extensions': extensions,
  'data-bridge/testing': testing,
  '@data-bridge/cli': cli,
  '@data-bridge/embedded': embedded,
};
const versions = Object.keys(compilers) as (keyof typeof compilers)[];

/** Every library is checked too. Not exactOptionalPropertyTypes: the types of Node.js 20 themselves fail under it then. */
const strict = { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false };

let project: Project;

beforeAll(async () => {
  project = await Project.create();
});

afterAll(() => project.remove());

/** The scripts that a package may import by its `exports` and `bin`, and how many more they may share. */
const scripts = {
  'data-bridge': {
    folder: 'packages/data-bridge',
    entries: ['command-line/bin', 'extensions', 'index', 'testing', 'zod'],
    chunks: 2,
  },
  '@data-bridge/cli': { folder: 'packages/cli', entries: ['index'], chunks: 0 },
  '@data-bridge/embedded': { folder: 'packages/embedded', entries: ['bin', 'index'], chunks: 4 },
};

describe.each(packages)('%s, packed', (name) => {
  const { folder, entries, chunks } = scripts[name];
  const isChunk = (file: string) => /^dist\/chunks\/[^/]+\.js$/.test(file);

  it('ships its entries, the few chunks that they share, its sources and their types, and nothing else', () => {
    const files = project.filesOf(name);
    const sources = sourcesIn(`${folder}/src`).map(({ path }) => path.replace(/\.ts$/, ''));
    const expected = [
      'LICENSE',
      'README.md',
      'package.json',
      ...entries.map((entry) => `dist/${entry}.js`),
      ...files.filter((file) => isChunk(file)),
      ...files.filter((file) => /^dist\/[^.]+\.js\.map$/.test(file) && files.includes(file.slice(0, -'.map'.length))),
      ...sources.flatMap((path) => [`src/${path}.ts`, `dist/${path}.d.ts`, `dist/${path}.d.ts.map`]),
    ];
    expect(files).toEqual(expected.sort());
    expect(files.filter((file) => isChunk(file)).length).toBeLessThanOrEqual(chunks);
    expect(files.filter((file) => /(?:^|\/)test\/|\.test\./.test(file))).toEqual([]);
  });

  it('has a map beside each declaration and each script that has code of its own', async () => {
    const files = project.filesOf(name);
    const mapped = files.filter((file) => /\.d\.ts$|\.js$/.test(file));
    const texts = await Promise.all(mapped.map((file) => project.read(`node_modules/${name}/${file}`)));
    const named = texts.map((text) => /^\/\/# sourceMappingURL=(.+)$/m.exec(text)?.[1]);
    const has = mapped.map((file, i) => (named[i] === undefined ? undefined : `${posix.dirname(file)}/${named[i]}`));
    const onlyNames = (text: string) => /^(?:(?:import|export) \{[^}]*\}(?: from "[^"]+")?;\s*)+$/.test(text);
    const expected = mapped.map((file, i) => (onlyNames(texts[i] ?? '') ? undefined : `${file}.map`));
    expect(has).toEqual(expected);
  });

  it('has the sources that its maps name, for go to definition and stack traces', async () => {
    const files = project.filesOf(name);
    const missing: string[] = [];
    for (const map of files.filter((file) => file.endsWith('.map'))) {
      const { sources } = JSON.parse(await project.read(`node_modules/${name}/${map}`)) as { sources: string[] };
      const paths = sources.map((source) => posix.join(posix.dirname(map), source));
      missing.push(...paths.filter((path) => !files.includes(path)).map((path) => `${map}: ${path}`));
    }
    expect(missing).toEqual([]);
  });
});

describe.each(Object.entries(entries))('%s, installed', (name, source) => {
  const names = Object.keys(source).sort();
  const print = `console.log(JSON.stringify(Object.keys(names).filter((name) => !['default', 'module.exports', '__esModule'].includes(name)).sort()));`;

  it('is imported with the names that its source has', async () => {
    const program = `import * as names from '${name}'; ${print}`;
    expect(await project.node('--input-type=module', '--eval', program)).toEqual(names);
  });

  it('is required with the names that its source has', async () => {
    const program = `const names = require('${name}'); ${print}`;
    expect(await project.node('--input-type=commonjs', '--eval', program)).toEqual(names);
  });
});

describe('the entries of data-bridge, installed', () => {
  it('share their classes, imported and required', async () => {
    const program = `
      import { createRequire } from 'node:module';
      import { model, SchemaError } from 'data-bridge';
      import { sameDocument } from 'data-bridge/testing';
      import { identified } from 'data-bridge/zod';
      import { z } from 'zod';
      const required = createRequire(import.meta.url)('data-bridge');
      class User extends model('users', { name: z.string() }) {}
      const user = new User({ name: 'Ann' });
      let error;
      try { identified(z.array(z.string()), 'key'); } catch (thrown) { error = thrown; }
      console.log(JSON.stringify({
        zod: error instanceof SchemaError,
        testing: sameDocument(user, { _id: user._id, name: 'Ann' }),
        required: required.model === model && error instanceof required.SchemaError,
      }));`;
    const shared = { zod: true, testing: true, required: true };
    expect(await project.node('--input-type=module', '--eval', program)).toEqual(shared);
  });

  it('throw errors whose stacks name functions, and the line of the source where maps are enabled', async () => {
    const program = `
      import { StateTracker } from 'data-bridge';
      try { new StateTracker(5); } catch (error) { console.log(JSON.stringify(error.stack)); }`;
    const run = ['--input-type=module', '--eval', program];
    expect(await project.node(...run)).toMatch(
      / at new StateTracker \(.*\/node_modules\/data-bridge\/dist\/.+\.js:\d+:\d+\)/,
    );
    const place = / at new StateTracker \(.*\/(node_modules\/data-bridge\/src\/.+\.ts):(\d+):\d+\)/;
    const [, file = '', line] = place.exec(String(await project.node('--enable-source-maps', ...run))) ?? [];
    expect((await project.read(file)).split('\n')[Number(line) - 1]).toContain('throw new UsageError(');
  });
});

describe("a user's program", () => {
  beforeAll(async () => {
    const compilerOptions = { ...strict, lib: ['es2023', 'esnext.disposable'], types: ['node'] };
    const files = ['program.ts', 'required.cts'];
    for (const file of files) await project.copy(file, 'typed');
    await project.write('typed/tsconfig.json', JSON.stringify({ compilerOptions, files }));
  });

  it.each(versions)('compiles with TypeScript %s, as a module and as CommonJS, and runs', async (version) => {
    expect(await project.compile(version, 'typed')).toEqual([]);
    expect(await project.node('typed/program.js')).toEqual({
      paths: ['age', 'tags'],
      label: 'Ann: admin',
      age: 41,
      rent: '950.50',
      changes: { tags: ['a', 'b'] },
    });
    expect(await project.node('typed/required.cjs')).toBe('two');
  });
});

describe("a user's mistakes, without the types of Node.js", () => {
  beforeAll(async () => {
    // AbortSignal is of `dom` where the types of Node.js are missing.
    const compilerOptions = { ...strict, lib: ['es2023', 'esnext.disposable', 'dom'], types: [], noEmit: true };
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['mistakes.ts'] }));
    await project.write('mistakes.ts', prelude + mistakes.map(({ code }) => code).join('\n'));
  });

  it.each(versions)('are refused by TypeScript %s, which finds none in the packages', async (version) => {
    const messages = await project.compile(version, '.');
    expect(messages.filter((message) => /^node_modules\/(?:@data-bridge|data-bridge)\//.test(message))).toEqual([]);
    const firstLine = prelude.split('\n').length;
    const said = mistakes.map((mistake, i) => ({
      ...mistake,
      says: messages.filter((message) => message.startsWith(`mistakes.ts(${firstLine + i},`)),
    }));
    expect(said).toEqual(mistakes.map(({ code, says }) => ({ code, says: [expect.stringContaining(says)] })));
    expect(messages.filter((message) => message.startsWith('mistakes.ts'))).toHaveLength(mistakes.length);
  });
});
