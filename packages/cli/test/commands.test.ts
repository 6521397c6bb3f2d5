import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../data-bridge/test/support/database.ts';
import { commands } from '../src/main.ts';
import { Program } from './support/program.ts';

const database = useDatabase();

const CONFIG = `export default { models: 'models/*.mjs' };`;
const MIGRATION = `export default {
  description: 'Ages of all',
  async up({ db }) { await db.collection('people').updateMany({}, { $set: { age: 1 } }); },
  async down({ db }) { await db.collection('people').updateMany({}, { $unset: { age: 1 } }); },
};`;

describe('the help', () => {
  const program = new Program();

  it('lists the commands', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { code, out } = await program.run(...args);
      expect(code).toBe(0);
      for (const { name, summary } of commands)
        expect(out).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 30)}`, 'm'));
    }
  });

  it.each(commands.map(({ name }) => name))('of "%s" has its options and an example', async (name) => {
    const { code, out } = await program.run(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: npx data-bridge ${name}`);
    expect(out).toMatch(/\nExample:\n\n {2}npx data-bridge /);
    expect(out).toContain('--json');
  });

  it('--version tells the version of the package', async () => {
    expect((await program.run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a mistake', () => {
  const program = new Program();

  it.each([
    [['migrat'], 'There is no command "migrat": expected one of plan, apply, audit, migrate up'],
    [['migrate'], 'There is no command "migrate": expected one of migrate up, migrate down'],
    [['migrate', 'sideways'], 'There is no command "migrate sideways": expected one of migrate up'],
    [['migrate', 'up', '--too', '3'], `Unknown option '--too'. "migrate up --help" lists the options.`],
    [['migrate', 'create'], '"migrate create" needs <name>.'],
    [['migrate', 'up', 'now'], '"migrate up" takes no arguments, got "now", too.'],
    [['migrate', 'up'], 'There is no data-bridge.config.ts in'],
    [['migrate', 'up', '--config', 'other.ts'], 'There is no file'],
  ])('%j is told, with 1', async (args, message) => {
    const { code, out, err } = await program.run(...args);
    expect(err).toContain(message);
    expect([code, out]).toEqual([1, '']);
  });

  it('is one object with --json', async () => {
    const { code, out } = await program.run('migrate', 'create', '--json');
    expect(JSON.parse(out)).toEqual({
      error: { code: 'DATA_BRIDGE_COMMAND', message: '"migrate create" needs <name>.' },
    });
    expect(code).toBe(1);
  });

  it.each([
    ['export default 5;', 'has no configuration as its default export'],
    [`export default { models: 5 };`, 'has "models" that are no globs of files'],
    [`export default { models: 'a', model: 'b' };`, 'has a key "model" that means nothing'],
    [`export default { models: 'a', uri: 5 };`, 'has a "uri" that is no text'],
    [`export default { models: 'a', migrations: 5 };`, 'has a "migrations" that is no folder'],
  ])('in the configuration is told: %s', async (config, message) => {
    const { code, err } = await new Program({ 'data-bridge.config.mjs': config }).run('migrate', 'status');
    expect(err).toContain(message);
    expect(code).toBe(1);
  });

  it('in a migration is told', async () => {
    const wrong = new Program({ 'data-bridge.config.mjs': CONFIG, 'migrations/001-a.mjs': 'export default {};' });
    expect((await wrong.run('migrate', 'status')).err).toContain('001-a.mjs has no migration as its default export');
    const twice = new Program({
      'data-bridge.config.mjs': CONFIG,
      'migrations/1-a.mjs': MIGRATION,
      'migrations/01-b.mjs': MIGRATION,
    });
    expect((await twice.run('migrate', 'status')).err).toMatch(/have the version 0?1: give one of them another number/);
    const broken = new Program({ 'data-bridge.config.mjs': CONFIG, 'migrations/001-a.mjs': 'throw new Error("no");' });
    expect((await broken.run('migrate', 'status')).err).toMatch(/001-a\.mjs cannot be loaded: no\n$/);
    const none = new Program({ 'data-bridge.config.mjs': CONFIG });
    expect((await none.run('migrate', 'status')).err).toContain('The folder of migrations cannot be read');
    expect((await twice.run('migrate', 'create', '--config', 'data-bridge.config.mjs', '…')).err).toContain(
      'A migration has a name',
    );
  });

  it('where no database is named is told', async () => {
    const program = new Program({ 'data-bridge.config.mjs': CONFIG, 'migrations/001-a.mjs': MIGRATION });
    expect((await program.run('migrate', 'status')).err).toContain('No database is named: give --uri');
  });
});

describe('migrate', () => {
  const program = new Program({
    'data-bridge.config.mjs': CONFIG,
    'migrations/001-ages.mjs': MIGRATION,
    'migrations/readme.md': '',
  });
  const ages = () => database.db.collection('people').countDocuments({ age: 1 });
  const run = (...args: string[]) => program.run('migrate', ...args, '--uri', database.connection.uri);

  it('creates, runs, tells, repeats and takes back', async () => {
    await database.db.collection('people').insertOne({ name: 'Ann' });
    const { out: path } = await program.run('migrate', 'create', ' Second  Step! ', '--js');
    expect(path).toBe('migrations/002-second-step.mjs\n');
    expect(readFileSync(join(program.folder, path.trim()), 'utf8')).toContain('defineMigration({');
    program.write(path.trim(), MIGRATION.replace('Ages', 'Second'));

    expect(await run('status')).toMatchObject({
      code: 2,
      out: '001 ages  pending  Ages of all\n002 second-step  pending  Second of all\n',
    });
    expect(await run('up', '--to', '001', '--dry-run')).toMatchObject({
      code: 1,
      err: expect.stringContaining('updateMany() of the driver is refused'),
    });
    expect(await ages()).toBe(0);
    expect(await run('up')).toMatchObject({ code: 0, out: 'Ran 001, 002.\n' });
    expect(await ages()).toBe(1);
    expect(await run('up')).toMatchObject({ code: 0, out: 'Nothing to do.\n' });
    const { code, out } = await run('status', '--json');
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { version: '001', state: 'applied', appliedAt: expect.stringMatching(/^\d{4}-/) },
      { version: '002', state: 'applied' },
    ]);
    expect(await run('redo')).toMatchObject({ code: 0, out: 'Ran 002 again.\n' });
    expect(await run('down')).toMatchObject({ code: 0, out: 'Took back 002.\n' });
    const both = await run('down', '--all', '--to', '001');
    expect(both).toMatchObject({ code: 1, err: expect.stringContaining('give one of them') });
    expect(await run('down', '--all')).toMatchObject({ code: 0, out: 'Took back 001.\n' });
    expect(await run('down')).toMatchObject({ code: 0, out: 'Nothing to do.\n' });
    expect(await run('redo')).toMatchObject({ code: 0, out: 'No migration has run.\n' });
    expect(await ages()).toBe(0);
  });
});
