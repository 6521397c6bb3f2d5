import { describe, expect, it } from 'vitest';
import { HistoryError, OutcomeUnknownError, withActor } from '../../src/index.ts';
import { checkHistory } from '../support/history-checks.ts';
import { changesIn, Place } from '../support/history-models.ts';
import { useProxiedDatabase } from '../support/proxy.ts';

/*
 * Writes that are cut off between their steps, as by a crash: the announcement, the write, the entry, the end of the announcement.
 */

const { proxy, database } = useProxiedDatabase();

/** When the command is answered, the next one of the other name does not come through. */
function cutBehind(command: string, next: string): void {
  proxy.next(command, (reply) => {
    proxy.next(next, 'cutBefore');
    return reply;
  });
}

async function repair(): Promise<unknown> {
  // Announcements of this very millisecond, too.
  return Place.repairHistory({ olderThan: new Date(Date.now() + 1000) });
}

async function newest(id: string): Promise<unknown> {
  const [entry] = (await Place.history(id)).items;
  return [entry?.revision, entry?.kind, entry?.actor, changesIn(entry)?.toSorted()];
}

describe('repairHistory() completes', () => {
  it('an update of which only the entry is missing, with fields that are new', async () => {
    const place = await Place.create({ _id: 'update', name: 'A' });
    place.name = 'B';
    place.size = 5;
    cutBehind('findAndModify', 'insert');
    await expect(withActor('ann', () => place.save())).rejects.toBeInstanceOf(HistoryError);
    expect(place.isModified()).toBe(false);
    await expect(Place.asOf('update', 1)).rejects.toMatchObject({ problem: 'unfinished' });
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    const changes = [
      ['name', 'A', 'B'],
      ['size', undefined, 5],
    ];
    expect(await newest('update')).toEqual([2, 'update', 'ann', changes]);
    await place.reload();
    place.name = 'C';
    await place.save();
    expect(await checkHistory(database.db, 'places', 'update')).toHaveLength(3);
  });

  it('an update behind that of another writer', async () => {
    const place = await Place.create({ _id: 'behind', name: 'A', size: 1 });
    await Place.updateOne({ _id: 'behind' }, { $set: { name: 'B' }, $inc: { size: 1 } });
    place.$inc('size', 5);
    place.name = 'C';
    cutBehind('findAndModify', 'insert');
    await expect(place.save()).rejects.toBeInstanceOf(HistoryError);
    // It is no longer the last one when it is repaired.
    await Place.updateOne({ _id: 'behind' }, { $set: { name: 'D' } });
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await checkHistory(database.db, 'places', 'behind')).toHaveLength(4);
    expect(await Place.asOf('behind', 3)).toEqual({ _id: 'behind', name: 'C', size: 7 });
  });

  it('an insert, a static update and a deletion', async () => {
    proxy.next('insert', (reply) => {
      cutBehind('insert', 'insert');
      return reply;
    });
    await expect(Place.create({ _id: 'life', name: 'A' })).rejects.toBeInstanceOf(HistoryError);
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await newest('life')).toEqual([1, 'insert', undefined, [['name', undefined, 'A']]]);
    cutBehind('findAndModify', 'insert');
    await expect(Place.updateOne({ _id: 'life' }, { $set: { size: 3 } })).rejects.toBeInstanceOf(HistoryError);
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await newest('life')).toEqual([2, 'update', undefined, [['size', undefined, 3]]]);
    const place = await Place.find({ _id: 'life' }).one();
    cutBehind('findAndModify', 'insert');
    await expect(place.delete()).rejects.toBeInstanceOf(HistoryError);
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await checkHistory(database.db, 'places', 'life')).toHaveLength(3);
    expect(await Place.restore('life')).toMatchObject({ name: 'A', size: 3 });
  });

  it('what has its entry already', async () => {
    const place = await Place.create({ _id: 'entry', name: 'A' });
    place.name = 'B';
    cutBehind('insert', 'delete');
    await expect(place.save()).rejects.toBeInstanceOf(HistoryError);
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await checkHistory(database.db, 'places', 'entry')).toHaveLength(2);
  });
});

describe('repairHistory() drops', () => {
  it('what was not done, and tells it from what was', async () => {
    const place = await Place.create({ _id: 'unknown', name: 'A' });
    place.name = 'B';
    proxy.next('findAndModify', 'cutBefore');
    await expect(place.save()).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(place.save()).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await repair()).toEqual({ completed: 0, dropped: 1 });
    await place.reload();
    place.name = 'C';
    proxy.next('findAndModify', 'cutAfter');
    await expect(place.save()).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
    expect(await newest('unknown')).toEqual([2, 'update', undefined, [['name', 'A', 'C']]]);
  });

  it('nothing that may be under way', async () => {
    const place = await Place.create({ _id: 'young', name: 'A' });
    place.name = 'B';
    cutBehind('findAndModify', 'insert');
    await expect(place.save()).rejects.toBeInstanceOf(HistoryError);
    expect(await Place.repairHistory()).toEqual({ completed: 0, dropped: 0 });
    expect(await repair()).toEqual({ completed: 1, dropped: 0 });
  });
});

describe('an entry that is missing', () => {
  it('is told of as what nobody knows where the connection broke', async () => {
    const place = await Place.create({ _id: 'entry-unknown', name: 'A' });
    place.name = 'B';
    proxy.next('findAndModify', (reply) => {
      proxy.next('insert', 'cutAfter');
      return reply;
    });
    await expect(place.save()).rejects.toMatchObject({
      problem: 'unfinished',
      message: expect.stringContaining('nobody knows') as string,
    });
    await repair();
    expect(await newest('entry-unknown')).toEqual([2, 'update', undefined, expect.anything()]);
  });

  it('is told of as missing where the server refused it', async () => {
    const place = await Place.create({ _id: 'entry-missing', name: 'A' });
    place.name = 'B';
    await database.db.command({
      collMod: 'places_history',
      validator: { $or: [{ kind: 'insert' }, { pending: true }] },
    });
    await expect(place.save()).rejects.toMatchObject({
      problem: 'unfinished',
      message: expect.stringContaining('was not: repairHistory()') as string,
    });
    await database.db.command({ collMod: 'places_history', validator: {} });
    await repair();
    expect(await newest('entry-missing')).toEqual([2, 'update', undefined, expect.anything()]);
  });
});
