import fc from 'fast-check';
import { BSON, type Document as BsonDocument, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { long } from '../../src/zod.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/* A document that was inserted knows what was sent, though it encodes that only when somebody asks. */

class Sheet extends model('sheets', {
  name: z.string(),
  size: z.number().optional(),
  count: long().optional(),
  when: z.date().optional(),
  tags: z.array(z.string()).default([]),
  inner: z.record(z.string(), z.unknown()).optional(),
}) {}

const database = useDatabase();

const anyValue = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.string(), fc.boolean(), fc.constant(null));
const anyInput = fc.record(
  {
    name: fc.string(),
    size: fc.oneof(fc.integer(), fc.double({ noNaN: true })),
    count: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    // The second server reads dates as Python does: years 1 to 9999.
    when: fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
    tags: fc.array(fc.string(), { maxLength: 3 }),
    inner: fc.dictionary(fc.constantFrom('a', 'b', 'x.y', '$z', '0'), anyValue, { noNullPrototype: true }),
  },
  { requiredKeys: ['name'] },
);
const anyEdit = fc.constantFrom('none', 'name', 'size', 'tag', 'when', 'inner', 'remove');

function edit(sheet: Sheet, what: string): void {
  if (what === 'name') sheet.name = `${sheet.name}!`;
  else if (what === 'size') sheet.size = 0.5;
  else if (what === 'tag') sheet.tags.push('new');
  else if (what === 'when') sheet.when?.setTime(1);
  else if (what === 'inner' && sheet.inner !== undefined) sheet.inner['a'] = { deep: [1] };
  else if (what === 'remove') sheet.unset('inner');
}

async function bytesOf({ $id }: Sheet): Promise<Buffer> {
  const found: unknown = await database.db.collection('sheets').findOne({ _id: $id }, { raw: true });
  return Buffer.from(found as Uint8Array);
}

type Insert = (input: BsonDocument) => Promise<Sheet>;
const inserts: readonly (readonly [string, Insert, (sheet: Sheet) => Promise<unknown>])[] = [
  ['create', (input) => Sheet.create(input as never), (sheet) => sheet.save()],
  [
    'insertMany',
    async (input) => (await Sheet.insertMany([input as never]))[0] as Sheet,
    (sheet) => Sheet.insertMany([sheet]),
  ],
  [
    'saveAll',
    async (input) => {
      const sheet = new Sheet(input as never);
      await Sheet.saveAll([sheet, new Sheet({ name: 'other' })]);
      return sheet;
    },
    (sheet) => Sheet.saveAll([sheet, new Sheet({ name: 'other' })]),
  ],
];

describe.each(inserts)('what %s() stored', (_, insert, store) => {
  it('is the baseline, byte for byte, and so is what is saved after it', async () => {
    const property = fc.asyncProperty(anyInput, fc.array(anyEdit, { maxLength: 3 }), async (input, edits) => {
      const sheet = await insert(input);
      for (const what of edits) edit(sheet, what);
      await sheet.save();
      expect(sheet.isModified()).toBe(false);
      const stored = await bytesOf(sheet);
      expect(BSON.deserialize(sheet.$bytes as Uint8Array)).toEqual(BSON.deserialize(stored));
      expect(sheet.$bytes?.length).toBe(stored.length);
      const again = (await Sheet.findById(sheet._id)) as Sheet;
      expect(sheet.toObject()).toEqual(again.toObject());
    });
    await fc.assert(property, runs(40));
  });

  it('has nothing of what the program changes before somebody asks', async () => {
    const input = { name: 'a', size: 1, tags: ['x'], when: new Date(5), inner: { a: { b: 1 } } };
    const sheet = await insert(input);
    const before = await bytesOf(sheet);
    sheet.tags.push('y');
    sheet.when?.setTime(9);
    Object.assign(sheet.inner as object, { c: 2 });
    Object.assign((sheet.inner as { a: object }).a, { b: 7 });
    input.inner.a.b = 8;
    sheet.size = 2;
    expect(Buffer.compare(sheet.$bytes as Uint8Array, before)).toBe(0);
    expect(sheet.$previousChanges().map(({ path }) => path)).toEqual(['_id', 'name', 'size', 'tags', 'when', 'inner']);
    const changed = sheet.changes().map(({ path }) => path);
    expect(changed).toEqual(expect.arrayContaining(['size', 'tags', 'when', 'inner.a.b', 'inner.c']));
    sheet.rollback();
    expect(sheet.toObject()).toEqual({
      _id: sheet._id,
      name: 'a',
      size: 1,
      tags: ['x'],
      when: new Date(5),
      inner: { a: { b: 1 } },
    });
  });

  it.each<readonly [string, (sheet: Sheet) => unknown]>([
    ['a read', (sheet) => sheet.name],
    ['a write', (sheet) => (sheet.size = 3)],
    ['a removal', (sheet) => sheet.unset('size')],
    ['isModified()', (sheet) => sheet.isModified()],
    ['isModified(field)', (sheet) => sheet.isModified('name')],
    ['changes()', (sheet) => sheet.changes()],
    ['toObject()', (sheet) => sheet.toObject()],
    ['the bytes', (sheet) => sheet.$bytes],
    ['the names', (sheet) => sheet.$state.keys()],
    ['an original', (sheet) => sheet.$state.getOriginal('tags')],
    ['a rollback of another field', (sheet) => sheet.rollback('name')],
    ['a checkpoint', (sheet) => sheet.$checkpoint()],
    ['validation', (sheet) => sheet.validate()],
  ])('has what the program holds, whoever asks first: %s', async (_first, ask) => {
    const sheet = new Sheet({ name: 'a', size: 1, tags: ['x'], inner: { a: { b: 1 } } });
    const { tags } = sheet;
    const inner = sheet.inner as { a: { b: number } };
    await store(sheet);
    tags.push('y');
    inner.a.b = 2;
    await ask(sheet);
    expect(sheet.tags).toBe(tags);
    expect(sheet.inner).toBe(inner);
    expect(sheet.changes().map(({ path }) => path)).toEqual(expect.arrayContaining(['tags', 'inner.a.b']));
    await sheet.save();
    const stored = BSON.deserialize(await bytesOf(sheet));
    expect(stored).toEqual(sheet.toObject());
    expect(stored).toMatchObject({ tags: ['x', 'y'], inner: { a: { b: 2 } } });
  });

  it('reads as it does when it is found: numbers of a 64-bit field, too', async () => {
    const sheet = await insert({ name: 'a', count: Long.fromNumber(5), size: 2 });
    const found = (await Sheet.findById(sheet._id)) as Sheet;
    for (const field of ['name', 'count', 'size'] as const) expect(sheet[field]).toBe(found[field]);
  });
});

it('an insert that is refused leaves the document new, with what is sent next time', async () => {
  const { _id } = await Sheet.create({ name: 'first' });
  const second = new Sheet({ _id, name: 'second', tags: ['x'] });
  await expect(second.save()).rejects.toThrow(/same value/);
  expect(second.$isNew).toBe(true);
  expect(second.$bytes).toBeNull();
  second.tags.push('y');
  await Sheet.deleteOne({ _id });
  await second.save();
  expect(await database.db.collection('sheets').findOne({ _id })).toEqual({ _id, name: 'second', tags: ['x', 'y'] });
});
