import { beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { definitionKey } from '../../src/definition/model-definition.ts';
import { model } from '../../src/index.ts';
import { chooseRecorder, type Recorder, recorderOf } from '../../src/save/recorder.ts';
import { useDatabase } from '../support/database.ts';

/* Whatever stands around writes sees each of them, by whichever call it began. */

class Item extends model('recorded_items', { name: z.string(), n: z.int().default(0) }) {}

const seen: string[] = [];

/** Notes what passes, and hands it on. */
function noting(recorder: Recorder): Recorder {
  const noted = Object.entries(recorder).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value];
    const note = (...given: unknown[]): unknown => {
      seen.push(name);
      return (value as (...given: unknown[]) => unknown).apply(recorder, given);
    };
    return [name, note];
  });
  return { ...(Object.fromEntries(noted) as Recorder), needsDocuments: true };
}

const database = useDatabase();
beforeAll(async () => {
  const definition = Item.prototype[definitionKey];
  chooseRecorder(definition, noting(recorderOf(definition)));
});
beforeEach(async () => {
  await database.db.collection('recorded_items').deleteMany({});
  seen.length = 0;
});

it.each<readonly [string, () => Promise<unknown>, readonly string[]]>([
  ['create', () => Item.create({ name: 'a' }), ['planInsert', 'insert']],
  ['insertMany', () => Item.insertMany([{ name: 'a' }, { name: 'b' }]), ['planInsert', 'planInsert', 'announce']],
  ['bulk().insertOne', () => Item.bulk().insertOne({ name: 'a' }).execute(), ['checkMany', 'bulkOperation']],
  [
    'bulk().updateMany',
    () =>
      Item.bulk()
        .updateMany({}, { $set: { n: 1 } })
        .execute(),
    ['checkMany', 'bulkOperation'],
  ],
  ['updateOne', () => Item.updateOne({}, { $set: { n: 1 } }), ['checkOne', 'updateOne']],
  ['updateMany', () => Item.updateMany({}, { $set: { n: 1 } }), ['checkMany', 'manyUpdate']],
  ['find().update', () => Item.find().update({ $set: { n: 1 } }), ['checkMany', 'manyUpdate']],
  ['replaceOne', () => Item.replaceOne({ name: 'a' }, { name: 'b' }), ['checkOne', 'updateOne']],
  ['upsert', () => Item.upsert({ name: 'a' }, { $set: { n: 1 } }), ['checkOne', 'findAndWrite']],
  ['findOneAndUpdate', () => Item.findOneAndUpdate({}, { $set: { n: 1 } }), ['checkOne', 'findAndWrite']],
  ['findOneAndReplace', () => Item.findOneAndReplace({}, { name: 'b' }), ['checkOne', 'findAndWrite']],
  ['findOneAndDelete', () => Item.findOneAndDelete({}), ['checkOne', 'findAndWrite']],
  ['deleteOne', () => Item.deleteOne({}), ['checkOne', 'deleteOne']],
  ['deleteMany', () => Item.deleteMany({}), ['checkMany']],
  ['find().delete', () => Item.find().delete(), ['checkMany']],
])('%s passes through the recorder of its model', async (_, write, expected) => {
  await write();
  expect(seen).toEqual(expected);
});

it.each<readonly [string, (item: Item) => Promise<unknown>, readonly string[]]>([
  ['save', (item) => item.save(), ['planUpdate', 'update']],
  ['saveAll', (item) => Item.saveAll([item]), ['planUpdate', 'update']],
  ['delete', (item) => item.delete(), ['delete']],
])('%s of a document passes through it', async (_, write, expected) => {
  const item = await Item.create({ name: 'a' });
  item.n = 5;
  seen.length = 0;
  await write(item);
  expect(seen).toEqual(expected);
});

it('is chosen anew for a model on another connection', () => {
  class Kept extends model('recorded_kept', { name: z.string() }, { history: true }) {}
  const here = recorderOf(Kept.prototype[definitionKey]);
  expect(recorderOf(Kept.using(database.connection).prototype[definitionKey])).toBe(here);
  expect(here).not.toBe(recorderOf(Item.using(database.connection).prototype[definitionKey]));
});
