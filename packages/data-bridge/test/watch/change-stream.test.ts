import { BSON, Double, Int32, Long } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type ChangeEvent,
  connect,
  long,
  model,
  type ObjectId,
  objectId,
  stored,
  transaction,
  trusted,
  UsageError,
} from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

class User extends model(
  'users',
  {
    name: z.string(),
    least: stored('min', z.number().optional()),
    big: long().optional(),
    boss: objectId().optional(),
    tags: z.array(z.string()).default([]),
    address: z.object({ city: z.string() }).optional(),
  },
  { timestamps: true },
) {}

const database = useDatabase();
beforeAll(async () => {
  await User.ensureCollection();
});

/** The next events of a stream, which stays open. */
async function take<E>(stream: AsyncIterable<E>, count: number): Promise<E[]> {
  const events: E[] = [];
  const iterator = stream[Symbol.asyncIterator]();
  while (events.length < count) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    events.push(value);
  }
  return events;
}

describe.runIf(isReplicaSet)('watch()', () => {
  beforeEach(() => User.deleteMany({}));

  it('gives inserts, updates, replacements and deletions, under the program’s names', async () => {
    await using stream = await User.watch().opened();
    const ann = await User.create({ name: 'Ann', least: 1, big: 5n, tags: ['a'] });
    ann.least = 2;
    ann.big = 6n;
    ann.unset('address');
    ann.tags.push('b');
    await ann.save();
    await User.updateOne({ _id: ann._id }, { $unset: { least: '' } });
    await User.replaceOne({ _id: ann._id }, { name: 'Bob', least: 3 });
    await ann.delete();
    const [inserted, updated, unset, replaced, deleted] = await take(stream, 5);
    const key = { _id: ann._id };
    expect(inserted).toMatchObject({ operationType: 'insert', documentKey: key });
    expect(updated).toMatchObject({ operationType: 'update', documentKey: key });
    expect(deleted).toMatchObject({ operationType: 'delete', documentKey: key, ns: { coll: 'users' } });
    if (inserted?.operationType === 'insert') {
      expect(inserted.fullDocument).toBeInstanceOf(User);
      expect(inserted.fullDocument.toObject()).toMatchObject({ name: 'Ann', least: 1, big: 5n, tags: ['a'] });
    }
    if (updated?.operationType === 'update') {
      const { updatedFields, removedFields } = updated.updateDescription;
      expect([updatedFields['least'], updatedFields.big, removedFields]).toEqual([2, 6n, []]);
      expect(updated).not.toHaveProperty('fullDocument');
    }
    if (unset?.operationType === 'update') expect(unset.updateDescription.removedFields).toEqual(['least']);
    if (replaced?.operationType === 'replace')
      expect(replaced.fullDocument.toObject()).toMatchObject({ name: 'Bob', least: 3, tags: [] });
  });

  it('gives documents that know what is stored, and can be changed and saved', async () => {
    await using stream = await User.watch([], { fullDocument: 'updateLookup' }).opened();
    const document = { name: 'Ann', n: new Double(5), long: Long.fromNumber(7), int: new Int32(9) };
    const { insertedId: _id } = await database.db.collection('users').insertOne(document);
    await User.updateOne({ _id }, { $set: { name: 'Anna' } }, { timestamps: false });
    const [inserted, updated] = await take(stream, 2);
    if (inserted?.operationType !== 'insert' || updated?.operationType !== 'update') throw new Error('others');
    const bytes = await database.db.collection('users').findOne({ _id }, { raw: true });
    expect(Buffer.compare(updated.fullDocument?.$bytes ?? Buffer.of(), bytes as unknown as Buffer)).toBe(0);
    expect([inserted.fullDocument.isModified(), inserted.fullDocument.name]).toEqual([false, 'Ann']);
    inserted.fullDocument.tags.push('seen');
    await inserted.fullDocument.save();
    expect(await User.findById(_id)).toMatchObject({ name: 'Anna', tags: ['seen'] });
    expect(BSON.calculateObjectSize(inserted.fullDocument.toObject() as object)).toBeGreaterThan(0);
  });

  it('gives those that match, by the fields of documents as a filter names them', async () => {
    const boss = (await User.create({ name: 'Boss' }))._id;
    const match = {
      operationType: { $in: ['insert', 'update'] },
      $or: [
        { 'fullDocument.least': { $gte: 5 }, 'fullDocument.boss': boss.toHexString() },
        { 'updateDescription.updatedFields.least': 7, 'documentKey._id': String(boss) },
      ],
    };
    await using stream = await User.watch([
      { $match: match },
      { $match: trusted({ operationType: { $ne: 'drop' } }) },
    ]).opened();
    await User.create({ name: 'low', least: 1, boss });
    await User.create({ name: 'high', least: 5, boss });
    await User.updateOne({ name: 'low' }, { $set: { least: 7 } });
    await User.updateOne({ name: 'Boss' }, { $set: { least: 7 } });
    const events = await take(stream, 2);
    expect(events.map(({ operationType }) => operationType)).toEqual(['insert', 'update']);
    expect(events[0]).toMatchObject({ fullDocument: { name: 'high', least: 5 } });
    expect(events[1]).toMatchObject({ documentKey: { _id: boss } });
  });

  it('goes on from a stored place', async () => {
    await using stream = await User.watch().opened();
    await User.insertMany(['a', 'b', 'c'].map((name) => ({ name })));
    const [first] = await take(stream, 1);
    const resumeAfter = BSON.EJSON.parse(BSON.EJSON.stringify(first?._id)) as object;
    await using second = User.watch([], { resumeAfter });
    const names = (await take(second, 2)).map((event) => event.operationType === 'insert' && event.fullDocument.name);
    expect(names).toEqual(['b', 'c']);
    await using third = User.watch([], { startAfter: second.resumeToken });
    await User.create({ name: 'd' });
    expect((await take(third, 1))[0]).toMatchObject({ fullDocument: { name: 'd' } });
  });

  it('ends when its loop is left, when it is closed, and by a signal', async () => {
    const left = await User.watch().opened();
    await User.create({ name: 'a' });
    for await (const { operationType } of left) {
      expect(operationType).toBe('insert');
      break;
    }
    for await (const event of left) expect(event).toBe('none');
    const closed = await User.watch().opened();
    const waiting = take(closed, 1);
    await closed.close();
    expect(await waiting).toEqual([]);
    await closed.close();
    const controller = new AbortController();
    const aborted = await User.watch([], { signal: controller.signal }).opened();
    const stopping = take(aborted, 1);
    controller.abort(new Error('enough'));
    await expect(stopping).rejects.toThrow('enough');
    await expect(take(aborted, 1)).rejects.toThrow('enough');
    await aborted.close();
    await expect(take(User.watch([], { signal: controller.signal }), 1)).rejects.toThrow('enough');
    await expect(User.watch([], { signal: controller.signal }).opened()).rejects.toThrow('enough');
  });

  it('reports the end of the collection, and ends there', async () => {
    class Short extends model('short', { name: z.string() }) {}
    await Short.create({ name: 'a' });
    const stream = await Short.watch().opened();
    await Short.collection.drop();
    const types: string[] = [];
    for await (const { operationType } of stream) types.push(operationType);
    expect(types).toEqual(['drop', 'invalidate']);
  });

  it('gives what a transaction did when it is committed', async () => {
    await using stream = await User.watch().opened();
    await expect(
      transaction(async () => {
        await User.create({ name: 'lost' });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await transaction(() => User.insertMany([{ name: 'a' }, { name: 'b' }]));
    const events = await take(stream, 2);
    expect(events).toMatchObject([{ fullDocument: { name: 'a' } }, { fullDocument: { name: 'b' } }]);
    await expect(transaction(() => User.watch().opened())).rejects.toThrow(/outside of the callback/);
  });

  it('refuses what would change the events, and tokens that are none', async () => {
    expect(() => User.watch([{ $project: { _id: 1 } } as never])).toThrow(UsageError);
    expect(() => User.watch([{ $match: {}, $limit: 1 } as never])).toThrow(UsageError);
    expect(() => User.watch({ $match: {} } as never)).toThrow(/list of \$match stages/);
    expect(() => User.watch([{ $match: 1 } as never])).toThrow(UsageError);
    expect(() => User.watch([{ $match: { operationType: undefined } }])).toThrow(UsageError);
    expect(() => User.watch([{ $match: { $where: 'true' } }])).toThrow(UsageError);
    expect(() => User.watch([{ $match: { 'documentKey._id': 'x' } }])).toThrow(/ObjectId/);
    expect(() => User.watch([], { promoteValues: false } as never)).toThrow(/promoteValues/);
    await expect(take(User.watch([], { resumeAfter: { _data: 'none' } }), 1)).rejects.toBeInstanceOf(Error);
    const other = await connect(database.uri, { sanitizeFilters: true });
    const Careful = User.using(other);
    expect(() => Careful.watch([{ $match: { 'fullDocument.name': { $ne: 'a' } } }])).toThrow(UsageError);
    await Careful.watch([{ $match: trusted({ $or: [{ 'fullDocument.name': { $ne: 'a' } }] }) }]).close();
    await other.close();
  });
});

describe('the events of watch()', () => {
  it('have the types of the model', () => {
    type Plain = ChangeEvent<User, object>;
    type Update = Extract<Plain, { operationType: 'update' }>;
    type Insert = Extract<Plain, { operationType: 'insert' }>;
    expectTypeOf<Insert['fullDocument']>().toEqualTypeOf<User>();
    expectTypeOf<Insert['documentKey']['_id']>().toEqualTypeOf<ObjectId>();
    expectTypeOf<Update['updateDescription']['updatedFields']['address.city']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Update['updateDescription']['updatedFields']['tags.0']>().toEqualTypeOf<unknown>();
    expectTypeOf<Update>().not.toHaveProperty('fullDocument');
    expectTypeOf<Extract<Plain, { operationType: 'delete' }>>().not.toHaveProperty('fullDocument');
    type LookedUp = ChangeEvent<User, { fullDocument: 'updateLookup'; fullDocumentBeforeChange: 'required' }>;
    expectTypeOf<Extract<LookedUp, { operationType: 'update' }>['fullDocument']>().toEqualTypeOf<User | null>();
    expectTypeOf<Extract<LookedUp, { operationType: 'delete' }>['fullDocumentBeforeChange']>().toEqualTypeOf<User>();
    const watch = () => User.watch([], { fullDocument: 'required' });
    type Required = Extract<
      ReturnType<typeof watch> extends AsyncIterable<infer E> ? E : never,
      { operationType: 'update' }
    >;
    expectTypeOf<Required['fullDocument']>().toEqualTypeOf<User>();
    // @ts-expect-error -- there is no such operation
    const wrong: Plain['operationType'] = 'upsert';
    expect(wrong).toBe('upsert');
  });
});
