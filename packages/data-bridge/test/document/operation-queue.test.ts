import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DocumentNotFoundError, model, UsageError } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

/** Runs inside the validation of `hooked`. */
let whileValidating: () => unknown = () => undefined;

class Item extends model('items', {
  name: z.string(),
  tags: z.array(z.string()).default([]),
  count: z.number().default(0),
  hooked: z
    .string()
    .refine(async () => {
      await whileValidating();
      return true;
    })
    .optional(),
  extra: z.int().optional(),
}) {}

const database = useDatabase();

const raw = (item: Item) => database.db.collection('items').findOne({ _id: item._id });

/** Does something when the next command is on its way. */
function whenSent(work: () => void): Promise<unknown> {
  return once(database.connection.client, 'commandStarted').then(work);
}

describe('a save in flight', () => {
  it('sends what was planned, and leaves a later change for the next save', async () => {
    const item = await Item.create({ name: 'first', tags: ['a'] });
    item.name = 'second';
    item.tags.push('b');
    const saving = item.save();
    await whenSent(() => {
      item.name = 'third';
      item.tags.push('c');
    });
    await saving;
    expect(await raw(item)).toMatchObject({ name: 'second', tags: ['a', 'b'] });
    expect(item.$state.changedFields().toSorted()).toEqual(['name', 'tags']);
    expect([item.name, item.tags]).toEqual(['third', ['a', 'b', 'c']]);
    database.sent();
    await item.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { name: 'third' }, $push: { tags: { $each: ['c'] } } });
    expect(await raw(item)).toMatchObject({ name: 'third', tags: ['a', 'b', 'c'] });
  });

  it('does so for an insert too', async () => {
    const item = new Item({ name: 'first', tags: ['a'] });
    const { tags } = item;
    const saving = item.save();
    await whenSent(() => {
      item.name = 'second';
      tags.push('b');
      item.set('extra' as string, 1);
      item.unset('count');
    });
    await saving;
    expect(await raw(item)).toEqual({ _id: item._id, name: 'first', tags: ['a'], count: 0 });
    expect(item.$isNew).toBe(false);
    expect(item.tags).toBe(tags);
    expect(item.$state.changedFields().toSorted()).toEqual(['count', 'extra', 'name', 'tags']);
    await item.save();
    expect(await raw(item)).toEqual({ _id: item._id, name: 'second', tags: ['a', 'b'], extra: 1 });
  });

  it('is clean when the change was taken back meanwhile, and then writes it back', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 'second';
    const saving = item.save();
    await whenSent(() => {
      item.name = 'first';
    });
    await saving;
    expect(item.isModified('name')).toBe(true);
    await item.save();
    expect((await raw(item))?.['name']).toBe('first');
  });

  it('shows what is stored after a rollback meanwhile', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 'second';
    const saving = item.save();
    await whenSent(() => item.rollback());
    await saving;
    expect([item.name, item.isModified()]).toEqual(['second', false]);
    expect((await raw(item))?.['name']).toBe('second');
  });

  it('plans after validation: a field that is assigned meanwhile is validated again and sent', async () => {
    const item = await Item.create({ name: 'first' });
    item.hooked = 'one';
    whileValidating = () => {
      whileValidating = () => undefined;
      item.hooked = 'two';
      item.name = 'second';
    };
    await item.save();
    expect(await raw(item)).toMatchObject({ hooked: 'two', name: 'second' });
    expect(item.isModified()).toBe(false);
  });

  it('validates what is assigned while an asynchronous schema is asked', async () => {
    const item = await Item.create({ name: 'first' });
    item.hooked = 'one';
    whileValidating = () => {
      whileValidating = () => undefined;
      item.name = 5 as never;
    };
    await expect(item.save()).rejects.toThrow('"name"');
    expect((await raw(item))?.['name']).toBe('first');
  });
});

describe('a validator that changes its document', () => {
  it('each time it is asked is refused in the end', async () => {
    const item = await Item.create({ name: 'first' });
    item.hooked = '';
    whileValidating = () => {
      item.hooked = `${item.hooked}x`;
    };
    await expect(item.save()).rejects.toThrow(UsageError);
    whileValidating = () => undefined;
    expect((await raw(item))?.['hooked']).toBeUndefined();
    await item.save();
    expect((await raw(item))?.['hooked']).toBe(item.hooked);
  });
});

describe('operations on one document', () => {
  it('queue: the second save sends what the first left', async () => {
    const item = await Item.create({ name: 'first' });
    database.sent();
    item.name = 'second';
    const first = item.save();
    const second = item.save();
    await whenSent(() => {
      item.count = 1;
    });
    await Promise.all([first, second]);
    expect(database.sent().map((command) => command['updates'][0].u)).toEqual([
      { $set: { name: 'second' } },
      { $set: { count: 1 } },
    ]);
  });

  it('queue: two saves at once of one change send it once', async () => {
    const item = new Item({ name: 'first' });
    database.sent();
    await Promise.all([item.save(), item.save()]);
    expect(database.sent()).toHaveLength(1);
  });

  it('queue: save, reload, save, delete, save', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 'second';
    const results = await Promise.allSettled([item.save(), item.reload(), item.save(), item.delete(), item.save()]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(results[4]).toMatchObject({ reason: expect.any(DocumentNotFoundError) });
    expect(await raw(item)).toBeNull();
  });

  it('go on after one that failed', async () => {
    const item = await Item.create({ name: 'first' });
    item.name = 5 as never;
    const failing = item.save();
    const reloading = item.reload();
    await expect(failing).rejects.toThrow('"name"');
    await reloading;
    expect([item.name, item.isModified()]).toEqual(['first', false]);
  });

  it.each([
    ['save', (item: Item) => item.save()],
    ['reload', (item: Item) => item.reload()],
    ['delete', (item: Item) => item.delete()],
  ] as const)('are refused inside a save of the same document: %s()', async (name, operation) => {
    const item = await Item.create({ name: 'first' });
    let thrown: unknown;
    whileValidating = async () => {
      thrown = await operation(item).catch((error: unknown) => error);
    };
    item.hooked = name;
    await item.save();
    whileValidating = () => undefined;
    expect(thrown).toBeInstanceOf(UsageError);
    expect((thrown as Error).message).toContain(`${name}()`);
    expect(await raw(item)).toMatchObject({ hooked: name });
  });

  it('are refused inside a schema that does not wait, too', async () => {
    let thrown: unknown;
    class Eager extends model('items', {
      name: z.string().refine(() => {
        void eager.save().catch((error: unknown) => {
          thrown = error;
        });
        return true;
      }),
    }) {}
    const eager = new Eager({ name: 'first' });
    await eager.save();
    expect(thrown).toBeInstanceOf(UsageError);
  });

  it('of other documents may run inside a save', async () => {
    const item = await Item.create({ name: 'first' });
    const other = new Item({ name: 'other' });
    whileValidating = () => other.save();
    item.hooked = 'x';
    await item.save();
    whileValidating = () => undefined;
    expect(await raw(other)).toMatchObject({ name: 'other' });
  });
});
