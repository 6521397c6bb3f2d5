import * as embedded from '@data-bridge/embedded';
import * as mapper from 'data-bridge';
import * as testing from 'data-bridge/testing';
import * as zod from 'data-bridge/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mistakes, prelude } from './mistakes.ts';
import { compilers, packages, Project } from './project.ts';

const entries = {
  'data-bridge': mapper,
  'data-bridge/zod': zod,
  'data-bridge/testing': testing,
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

describe.each(packages)('%s, packed', (name) => {
  it('ships its modules, their types, a README and the licence, and nothing else', () => {
    const files = project.packed.find((one) => one.name === name)?.files.map(({ path }) => path) ?? [];
    const required = ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js'];
    expect(required.filter((file) => !files.includes(file))).toEqual([]);
    const expected = /^(?:LICENSE|README\.md|package\.json|dist\/.+\.(?:js|d\.ts))$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
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
