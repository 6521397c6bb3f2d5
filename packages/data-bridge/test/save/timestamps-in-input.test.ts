import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { onlyUpdate, useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();

const past = new Date('2020-01-01');
const body = (): Loose => JSON.parse('{ "text": "a", "createdAt": "2020-01-01T00:00:00Z" }');
const notes = (options = {}): ReturnType<typeof looseModel> =>
  looseModel(database, { text: z.string() }, { timestamps: true, ...options });
const kept = [{ path: 'createdAt', message: expect.stringContaining('{ timestamps: false }') as string }];

describe('times of the model in input', () => {
  it.each(['error', 'keep'])('are refused with unknown: %s', async (unknown) => {
    const { Model, load } = notes({ unknown });
    await expect(Model.create(body())).rejects.toMatchObject({ issues: kept });
    await expect(Model.create({ text: 'a', createdAt: past })).rejects.toMatchObject({ issues: kept });
    await expect(new Model(body()).save()).rejects.toMatchObject({ issues: kept });
    await expect(Model.insertMany([{ text: 'b' }, body()])).rejects.toMatchObject({
      issues: [{ path: '1.createdAt' }],
    });
    await expect(Model.saveAll([new Model(body())])).rejects.toMatchObject({ code: 'DATA_BRIDGE_BULK_SAVE' });
    await expect(Model.replaceOne({}, body())).rejects.toMatchObject({ issues: kept });
    await expect(Model.bulk().insertOne(body()).execute()).rejects.toMatchObject({ issues: [{ path: '0.createdAt' }] });
    expect(await Model.count()).toBe(0);
    const document = await load({ text: 'a', createdAt: past, updatedAt: past });
    expect(() => Object.assign(document, body())).toThrow('"createdAt" is a time that the model keeps itself');
    expect(document.createdAt).toEqual(past);
  });

  it('are left out with unknown: drop', async () => {
    const { Model } = notes({ unknown: 'drop' });
    const made = await Model.create(body());
    expect(made.createdAt).toBeInstanceOf(Date);
    expect(made.createdAt.getTime()).toBeGreaterThan(past.getTime());
  });

  it('are taken from imports, and then the mapper writes none', async () => {
    const { Model, raw } = notes();
    const made = await Model.create({ text: 'a', createdAt: past }, { timestamps: false });
    expect(await raw(made)).toEqual({ text: 'a', createdAt: past });
    const draft = new Model({ text: 'b', createdAt: past, updatedAt: past });
    await draft.save({ timestamps: false });
    expect(await raw(draft)).toEqual({ text: 'b', createdAt: past, updatedAt: past });
    const [many] = await Model.insertMany([{ text: 'c', createdAt: past, updatedAt: past }], { timestamps: false });
    expect(await raw(many)).toMatchObject({ createdAt: past, updatedAt: past });
    const options = { timestamps: false, validate: false, return: 'ids' };
    const [_id] = await Model.insertMany([{ text: 'd', updatedAt: past }], options);
    expect(await raw({ _id })).toEqual({ text: 'd', updatedAt: past });
    database.sent();
    draft.text = 'B';
    await draft.save({ timestamps: false });
    expect(onlyUpdate(database.sent())).toEqual({ $set: { text: 'B' } });
    draft.text = 'BB';
    await draft.save();
    expect(draft.updatedAt.getTime()).toBeGreaterThan(past.getTime());
  });

  it('are Dates, whoever gives them', async () => {
    const { Model, load } = notes();
    const issues = [{ path: 'createdAt', message: 'Expected a Date, got a string' }];
    await expect(Model.create(body(), { timestamps: false })).rejects.toMatchObject({ issues });
    const draft = new Model({ text: 'a' });
    draft.set('createdAt', new Date(NaN));
    await expect(draft.save()).rejects.toMatchObject({ issues: [{ path: 'createdAt' }] });
    draft.set('createdAt', past);
    await draft.save();
    expect(draft.createdAt).toEqual(past);
    const document = await load({ text: 'a', createdAt: past, updatedAt: past });
    document.set('updatedAt', 'yesterday');
    await expect(document.save()).rejects.toMatchObject({ issues: [{ path: 'updatedAt' }] });
  });

  it('are the program’s own where the schema has a field of that name', async () => {
    const { Model } = looseModel(database, { text: z.string(), createdAt: z.date() }, { timestamps: true });
    const made = await Model.create({ text: 'a', createdAt: past });
    expect(made.createdAt).toEqual(past);
    made.createdAt = new Date(5);
    await made.save();
    expect(made.updatedAt).toBeInstanceOf(Date);
  });
});
