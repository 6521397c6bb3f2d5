import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withActor } from 'data-bridge';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../data-bridge/test/support/database.ts';
import { Program } from './support/program.ts';

const database = useDatabase();

const MODELS = `
import { model } from 'data-bridge';
import { z } from 'zod';

export class User extends model('users', { email: z.string(), age: z.number().optional() }, {
  indexes: [{ key: { email: 1 }, unique: true }],
}) {}
export class Page extends model('pages', { _id: z.string(), title: z.string() }, { history: true }) {}
export const other = 5;
`;

/** The mapper of the tests, which the program's models have to share with the command line. */
interface Models {
  readonly Page: {
    create(input: object): Promise<{ title: string; save(): Promise<unknown>; delete(): Promise<unknown> }>;
  };
}

const program = new Program({
  'data-bridge.config.mjs': `export default { models: 'models/*.mjs' };`,
  'models/all.mjs': MODELS,
});
const run = (...args: string[]) => program.run(...args, '--uri', database.connection.uri);
const users = () => database.db.collection('users');
const linesOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('plan and apply', () => {
  it('tell what is to be done, do it, and then there is nothing to do', async () => {
    await users().insertMany([{ email: 'a' }, { email: 'a' }]);
    const blocked = await run('plan');
    expect(blocked).toMatchObject({ code: 2, out: expect.stringContaining('1 values are there more than once') });
    expect(blocked.out).toMatch(/additive {2}db\.getCollection\("users"\)\.createIndex\(/);
    expect((await run('apply')).code).toBe(1);
    await users().deleteOne({});
    const [step] = linesOf((await run('plan', '--json')).out);
    expect(step).toMatchObject({ do: 'createIndex', collection: 'users', class: 'additive', cost: { documents: 1 } });
    expect(await run('apply')).toMatchObject({ code: 0, err: expect.stringMatching(/Did \d of \d steps/) });
    expect(await users().indexExists('email_1')).toBe(true);
    expect(await run('plan')).toMatchObject({ code: 0, out: '', err: 'Nothing to do.\n' });
    expect(await run('apply')).toMatchObject({ code: 0, err: 'Nothing to do.\n' });
  });

  it('go by a file, which is refused when the database has moved on', async () => {
    await users().dropIndex('email_1');
    expect(await run('plan', '--out', 'plan.json', '--no-costs')).toMatchObject({ code: 2 });
    expect(JSON.parse(readFileSync(join(program.folder, 'plan.json'), 'utf8'))).toMatchObject({ format: 1 });
    await users().createIndex({ email: 1 });
    expect(await run('apply', 'plan.json')).toMatchObject({ code: 1, err: expect.stringContaining('plan') });
    await users().dropIndex('email_1');
    expect((await run('apply', 'plan.json')).code).toBe(0);
    expect(await run('apply', 'none.json')).toMatchObject({ code: 1, err: expect.stringContaining('is no plan') });
  });

  it('leave steps that take something away, unless they are allowed', async () => {
    const changed = new Program({
      'data-bridge.config.mjs': `export default { models: 'models/*.mjs' };`,
      'models/all.mjs': MODELS.replace(/indexes: .*,/, ''),
    });
    const again = (...args: string[]) => changed.run(...args, '--uri', database.connection.uri);
    expect(await again('apply')).toMatchObject({ code: 2, out: expect.stringContaining('left  users.email_1') });
    expect(await users().indexExists('email_1')).toBe(true);
    expect((await again('apply', '--allow-destructive')).code).toBe(0);
    expect(await users().indexExists('email_1')).toBe(false);
  });
});

describe('audit', () => {
  it('tells what breaks the models, without values', async () => {
    await users().deleteMany({});
    expect(await run('audit')).toMatchObject({ code: 0, err: 'Nothing was found.\n' });
    await users().insertMany([{ email: 5, age: 'secret' }, { email: 'b' }]);
    const { code, out } = await run('audit');
    expect(code).toBe(2);
    expect(out).toMatch(/^users\.email: .*\n {2}1 times, in [0-9a-f]{24}$/m);
    expect(out).not.toContain('secret');
    const paths = linesOf((await run('audit', '--full', '--json')).out).map(({ path }) => String(path));
    expect(paths.toSorted()).toEqual(['age', 'email']);
  });
});

describe('history', () => {
  it('shows, restores and prunes', async () => {
    const { Page } = (await import(join(program.folder, 'models/all.mjs'))) as Models;
    const page = await withActor('ann', () => Page.create({ _id: 'a/b', title: 'One' }));
    page.title = 'Two';
    await page.save();
    await page.delete();
    const { out } = await run('history', 'show', 'pages/a/b');
    const timeless = out.replaceAll(/\d{4}-\S+Z/g, 'then');
    expect(timeless.split('\n')).toEqual([
      '3 delete  then',
      "  title: 'Two' → undefined",
      '2 update  then',
      "  title: 'One' → 'Two'",
      '1 insert  then  ann',
      "  title: undefined → 'One'",
      '',
    ]);
    expect(await run('history', 'show', 'pages/a/b', '--size', '1')).toMatchObject({
      err: 'There are more: --before 3\n',
    });
    expect(linesOf((await run('history', 'show', 'pages/a/b', '--before', '2', '--json')).out)).toMatchObject([
      { revision: 1, actor: 'ann' },
    ]);
    expect(await run('history', 'restore', 'pages/a/b')).toMatchObject({ code: 0, out: 'Restored, as revision 4.\n' });
    expect(await database.db.collection<{ _id: string }>('pages').findOne({ _id: 'a/b' })).toMatchObject({
      title: 'Two',
    });
    expect(await run('history', 'prune', 'pages', '--older-than', '2001-01-01')).toMatchObject({
      code: 0,
      out: 'Deleted 0 entries.\n',
    });
    expect((await run('history', 'show', 'pages/none')).err).toBe('It has no history.\n');
  });

  it.each([
    [['show', 'pages'], 'A document is named by its collection and its id'],
    [['show', 'users/1'], 'The collection users keeps no history: those with one are pages.'],
    [['show', 'user/1'], 'The collection user is that of no model'],
    [['show', 'pages/1', '--size', 'all'], '--size takes a number from 1, got "all".'],
    [['prune', 'pages'], 'needs --older-than with a date'],
    [['prune', 'pages', '--older-than', 'yesterday'], 'needs --older-than with a date'],
  ])('refuses %j', async (args, message) => {
    expect(await run('history', ...args)).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  });
});

describe('the models of a configuration', () => {
  it('have to be there', async () => {
    const none = new Program({ 'data-bridge.config.mjs': `export default { models: 'models/*.mjs' };` });
    expect((await none.run('plan', '--uri', database.connection.uri)).err).toContain('matches "models": models/*.mjs');
    none.write('models/one.mjs', 'export const one = 1;');
    expect((await none.run('plan', '--uri', database.connection.uri)).err).toContain(
      'exports a model: export the classes',
    );
  });
});
