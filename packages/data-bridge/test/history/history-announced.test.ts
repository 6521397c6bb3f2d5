import type { BSON, CommandStartedEvent } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, NotConnectedError } from '../../src/index.ts';
import { checkHistory } from '../support/history-checks.ts';
import { type Fault, useProxiedDatabase } from '../support/proxy.ts';

/* A write that could not be announced was not sent; one whose answer did not come stays announced. */

class Note extends model('notes', { text: z.string() }, { history: true }) {}
class Page extends model('pages', { _id: z.string(), text: z.string() }, { history: true, concurrency: 'fields' }) {}

const { proxy, database } = useProxiedDatabase({ retryReads: false });
beforeEach(async () => {
  for (const name of ['notes', 'notes_history', 'pages', 'pages_history'])
    await database.db.collection(name).deleteMany({});
});

const unconfirmed = (reply: BSON.Document): BSON.Document => ({
  ...reply,
  writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
});
const unannounced = { code: 'DATA_BRIDGE_HISTORY', problem: 'unannounced' };
const repair = (Model: typeof Note | typeof Page): Promise<unknown> =>
  Model.repairHistory({ olderThan: new Date(Date.now() + 1000) });

describe.each<readonly [string, Fault, object]>([
  ['was not confirmed', unconfirmed, unannounced],
  ['was cut off', 'cutBefore', { code: 'DATA_BRIDGE_NOT_CONNECTED' }],
  ['was stored, and its answer cut off', 'cutAfter', { code: 'DATA_BRIDGE_NOT_CONNECTED' }],
])('where the announcement %s', (_, fault, expected) => {
  it('an update is not sent, and can be saved again', async () => {
    const note = await Note.create({ text: 'a' });
    note.text = 'b';
    proxy.next('insert', fault);
    await expect(note.save()).rejects.toMatchObject(expected);
    expect([note.isModified(), (await Note.findById(note._id))?.text]).toEqual([true, 'a']);
    await note.save();
    await repair(Note);
    expect(await checkHistory(database.db, 'notes', note._id)).toHaveLength(2);
    expect((await Note.findById(note._id))?.text).toBe('b');
  });

  it('an insert is not sent, and can be saved again', async () => {
    const note = new Note({ text: 'a' });
    proxy.next('insert', fault);
    await expect(note.save()).rejects.toMatchObject(expected);
    expect([note.$isNew, await Note.count()]).toEqual([true, 0]);
    await note.save();
    await repair(Note);
    expect(await checkHistory(database.db, 'notes', note._id)).toHaveLength(1);
  });

  it('a deletion is not sent, and can be done again', async () => {
    const note = await Note.create({ text: 'a' });
    proxy.next('insert', fault);
    await expect(note.delete()).rejects.toBeInstanceOf(Error);
    expect(await Note.count()).toBe(1);
    note.text = 'b';
    await note.save();
    expect(await note.delete()).toBe(true);
    await repair(Note);
    expect(await checkHistory(database.db, 'notes', note._id)).toHaveLength(3);
  });

  it('a static write is not sent', async () => {
    const note = await Note.create({ text: 'a' });
    proxy.next('insert', fault);
    await expect(Note.updateOne({ _id: note._id }, { $set: { text: 'b' } })).rejects.toMatchObject(expected);
    expect((await Note.findById(note._id))?.text).toBe('a');
  });

  it('saveAll() and insertMany() send nothing', async () => {
    const note = await Note.create({ text: 'a' });
    note.text = 'b';
    const others = [new Note({ text: 'c' }), new Note({ text: 'd' })];
    proxy.next('insert', fault);
    await expect(Note.saveAll([note, ...others])).rejects.toMatchObject({
      results: Array(3).fill({ outcome: 'failed', error: expected }),
    });
    proxy.next('insert', fault);
    await expect(Note.insertMany(others)).rejects.toMatchObject(expected);
    expect([await Note.count(), note.isModified(), ...others.map(({ $isNew }) => $isNew)]).toEqual([
      1,
      true,
      true,
      true,
    ]);
    await Note.saveAll([note, ...others]);
    await repair(Note);
    for (const { _id } of others) expect(await checkHistory(database.db, 'notes', _id)).toHaveLength(1);
  });
});

describe('what could not be announced as widely as asked', () => {
  it('leaves nothing in the history, which goes on to tell the past', async () => {
    const note = await Note.create({ text: 'a' });
    note.text = 'b';
    proxy.next('insert', unconfirmed);
    await expect(note.save()).rejects.toMatchObject(unannounced);
    proxy.next('insert', unconfirmed);
    await expect(Note.saveAll([note, new Note({ text: 'c' })])).rejects.toBeInstanceOf(Error);
    expect(await Note.asOf(note._id, 1)).toMatchObject({ text: 'a' });
    expect(await database.db.collection('notes_history').countDocuments({ pending: true })).toBe(0);
  });
});

describe('what is read before a write', () => {
  it('is no part of it', async () => {
    const page = new Page({ _id: 'a', text: 'a' });
    proxy.next('find', 'cutBefore');
    await expect(page.save()).rejects.toBeInstanceOf(NotConnectedError);
    await page.save();
    proxy.next('find', 'cutBefore');
    await expect(Page.updateOne({ _id: 'a' }, { $set: { text: 'b' } })).rejects.toBeInstanceOf(NotConnectedError);
  });
});

describe('a write of saveAll() that missed and was sent again', () => {
  it('stays announced where its answer does not come', async () => {
    const page = await Page.create({ _id: 'a', text: 'a' });
    page.text = 'b';
    proxy.next('findAndModify', { answer: { ok: 1, value: null } });
    const cutNext = ({ commandName }: CommandStartedEvent): void => {
      if (commandName === 'find') proxy.next('findAndModify', 'cutAfter');
    };
    database.connection.client.on('commandStarted', cutNext);
    await expect(Page.saveAll([page])).rejects.toMatchObject({ results: [{ outcome: 'failed' }] });
    database.connection.client.off('commandStarted', cutNext);
    expect(await repair(Page)).toEqual({ completed: 1, dropped: 0 });
    expect(await checkHistory(database.db, 'pages', 'a')).toHaveLength(2);
  });
});
