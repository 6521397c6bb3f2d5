import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DuplicateKeyError, extension, hidden, model, ref, stored, withActor } from '../../src/index.ts';
import { softDelete } from '../../src/extensions.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();

describe('the collection', () => {
  class Boat extends model(
    'boats',
    { name: z.string() },
    { type: 'boat', indexes: [{ key: { name: 1 } }, { key: { _type: 1 } }] },
  ) {}
  class Sail extends Boat.extend(
    { number: stored('no', z.string()), masts: z.int() },
    { type: 'sail', class: () => Sail, indexes: [{ key: { number: 1 }, unique: true }, { key: { masts: 1 } }] },
  ) {}
  class Motor extends Boat.extend(
    { number: z.string() },
    {
      type: 'motor',
      class: () => Motor,
      indexes: [{ key: { number: 1 }, unique: true, sparse: true, name: 'plates' }],
    },
  ) {}

  beforeEach(() => database.db.dropCollection('boats').catch(() => {}));

  it('has the indexes of all classes, the unique ones of theirs alone', async () => {
    const names = ['name_1', '_type_1', 'no_1_sail', 'masts_1', 'plates'];
    expect(await Motor.ensureIndexes()).toEqual(names);
    expect(await Boat.ensureIndexes()).toEqual(names);
    const made = await database.db.collection('boats').listIndexes().toArray();
    expect(made.find(({ name }) => name === 'no_1_sail')).toMatchObject({
      key: { no: 1 },
      unique: true,
      partialFilterExpression: { _type: 'sail' },
    });
    await Boat.create({ name: 'a' });
    await Boat.create({ name: 'b' });
    await Sail.create({ name: 'c', number: '1', masts: 1 });
    await Motor.create({ name: 'd', number: '1' });
    await expect(Sail.create({ name: 'e', number: '1', masts: 2 })).rejects.toThrow(DuplicateKeyError);
    await expect(Motor.create({ name: 'f', number: '1' })).rejects.toThrow(DuplicateKeyError);
  });

  it('has a validator that knows the schema of each class', async () => {
    await Sail.ensureCollection({ validator: true });
    const boats = database.db.collection('boats');
    await Boat.create({ name: 'a' });
    await Sail.create({ name: 'b', number: '1', masts: 1 });
    await boats.insertOne({ name: 'old' });
    for (const wrong of [
      { name: 'x', _type: 'sail' },
      { name: 'x', _type: 'car' },
      { _type: 'boat' },
      { name: 'x', _type: 'sail', no: '1', masts: 'two' },
    ])
      await expect(boats.insertOne(wrong)).rejects.toThrow('validation');
  });

  it('has the JSON Schema of a class and of those that extend it', () => {
    const id = { _id: { bsonType: 'objectId' } };
    const motor = {
      bsonType: 'object',
      required: ['name', 'number', '_type'],
      properties: { ...id, name: { bsonType: 'string' }, number: { bsonType: 'string' }, _type: { enum: ['motor'] } },
    };
    expect(Motor.jsonSchema).toEqual(motor);
    expect(Boat.jsonSchema).toMatchObject({ anyOf: [{ properties: { _type: { enum: ['boat', null] } } }, {}, motor] });
    class Loose extends model('loose', { n: z.int().optional() }, { unknownType: 'parent' }) {}
    class Tight extends Loose.extend({}, { type: 'tight', class: () => Tight }) {}
    expect(Loose.jsonSchema).toMatchObject({ anyOf: [{ properties: { _type: { not: { enum: ['tight'] } } } }, {}] });
    expect(Tight.type).toBe('tight');
  });
});

describe('what the root says holds for all classes', () => {
  const calls: string[] = [];
  const noted = extension({ name: 'noted', fields: { by: z.string().optional() }, stamp: () => ({ by: 'me' }) });

  class Paper extends model(
    'papers',
    { title: z.string(), ...softDelete.fields, ...noted.fields },
    { timestamps: true, version: 'v', extensions: [softDelete, noted], json: ['label'] },
  ) {
    get label(): string {
      return `<${this.title}>`;
    }

    beforeSave(): void {
      calls.push(`before ${this.title}`);
    }
  }
  class Bill extends Paper.extend(
    { total: z.int(), pin: hidden(z.string().default('secret')) },
    { type: 'bill', class: () => Bill, json: ['dear'] },
  ) {
    get dear(): boolean {
      return this.total > 100;
    }

    override beforeSave(): void {
      super.beforeSave();
      calls.push(`bill ${this.total}`);
    }
  }

  beforeEach(async () => {
    await database.db.collection('papers').deleteMany({});
    calls.length = 0;
  });

  it('hooks, methods first of the extended class, and listeners', async () => {
    const ends = [
      Paper.on('afterInsert', ({ title }) => calls.push(`paper ${title}`)),
      Bill.on('afterInsert', ({ total }) => calls.push(`after ${total}`)),
    ];
    await Bill.create({ title: 'a', total: 1 });
    await Paper.insertMany([new Paper({ title: 'b' }), new Bill({ title: 'c', total: 2 })]);
    expect(calls).toEqual([
      'before a',
      'bill 1',
      'paper a',
      'after 1',
      'before b',
      'before c',
      'bill 2',
      'paper b',
      'paper c',
      'after 2',
    ]);
    for (const end of ends) end();
  });

  it('timestamps, version, extensions and getters of JSON', async () => {
    const bill = await Bill.create({ title: 'a', total: 200 });
    expect([bill.createdAt instanceof Date, bill.v, bill.by]).toEqual([true, 1, 'me']);
    const read = (await Paper.findById(bill._id)) as Bill;
    expect(JSON.parse(JSON.stringify(read))).toMatchObject({ label: '<a>', dear: true, _type: 'bill' });
    expect(JSON.stringify(read)).not.toContain('secret');
    expect(JSON.stringify(await Paper.find().lean())).not.toContain('secret');
    read.total = 5;
    await read.save();
    expect(read.v).toBe(2);
    await Paper.deleteMany({});
    expect(await Bill.count()).toBe(0);
    expect(await Bill.find().unscoped().count()).toBe(1);
  });
});

describe('the history', () => {
  class Doc extends model('docs', { title: z.string() }, { history: true }) {}
  class Letter extends Doc.extend(
    { pages: z.bigint(), secret: hidden(z.string().default('x')) },
    { type: 'letter', class: () => Letter },
  ) {}

  it('is one of all classes, and gives each its own', async () => {
    const letter = await Letter.create({ title: 'a', pages: 5n });
    const doc = await Doc.create({ title: 'b' });
    letter.pages = 6n;
    await withActor('me', () => letter.save());
    expect((await Doc.history(letter._id)).items).toHaveLength(2);
    expect((await Letter.history(letter._id)).items[0]?.actor).toBe('me');
    expect((await Letter.history(doc._id)).items).toEqual([]);
    expect(await Doc.asOf(letter._id, 1)).toEqual({ _id: letter._id, title: 'a', pages: 5n, _type: 'letter' });
    expect(await Letter.asOf(doc._id, 1)).toBeNull();
    await Doc.updateOne({ title: 'a' }, { $set: { title: 'aa' } });
    await Doc.deleteOne({ title: 'aa' });
    await expect(Letter.restore(doc._id)).rejects.toThrow('The document is not deleted.');
    const restored = await Doc.restore(letter._id);
    expect(restored).toBeInstanceOf(Letter);
    expect((restored as Letter).pages).toBe(6n);
    const entries = await database.db.collection('docs_history').find().toArray();
    expect(JSON.stringify(entries)).not.toContain('"x"');
    await (restored as Letter).$revert(1);
    expect((restored as Letter).pages).toBe(5n);
  });
});

it('many documents of several classes have an entry each', async () => {
  class Item extends model('entries', { n: z.int() }, { history: true, timestamps: true }) {}
  class Part extends Item.extend({ of: z.string() }, { type: 'part', class: () => Part }) {}
  const made = await Item.insertMany([new Item({ n: 1 }), new Part({ n: 2, of: 'x' }), new Item({ n: 3 })]);
  for (const each of made) each.n += 10;
  await Item.saveAll([...made, new Part({ n: 4, of: 'y' })]);
  const entries = await database.db.collection('entries_history').find().toArray();
  expect(entries.map(({ kind }) => kind as string).toSorted()).toEqual([
    ...Array(4).fill('insert'),
    ...Array(3).fill('update'),
  ]);
  expect((await Item.find().sort({ n: 1 })).map((each) => [each.n, each.constructor.name, each.$revision])).toEqual([
    [4, 'Part', 1],
    [11, 'Item', 2],
    [12, 'Part', 2],
    [13, 'Item', 2],
  ]);
  await Part.findOneAndUpdate({ n: 12 }, { $set: { of: 'z' } });
  expect((await Item.history(made[1]!._id)).items.map(({ kind }) => kind)).toEqual(['update', 'update', 'insert']);
});

describe('a union inside of documents', () => {
  class Maker extends model('makers', { name: z.string() }) {}
  const Part = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('wheel'), size: z.bigint() }),
    z.object({ kind: z.literal('engine'), power: z.int(), since: z.date() }),
  ]);
  class Machine extends model('machines', { parts: z.array(Part), maker: ref<Maker>(() => Maker).optional() }) {}

  it('has elements of the right type after it was read, and narrows', async () => {
    const since = new Date(5);
    await Machine.create({
      parts: [
        { kind: 'wheel', size: 5n },
        { kind: 'engine', power: 9, since },
      ],
    });
    const machine = (await Machine.find().first()) as Machine;
    const sizes = machine.parts.map((part) => (part.kind === 'wheel' ? part.size : part.since));
    expect(sizes).toEqual([5n, since]);
    const [wheel] = machine.parts;
    if (wheel?.kind === 'wheel') wheel.size += 2n ** 40n;
    await machine.save();
    expect((await Machine.find().lean())[0]?.parts[0]).toEqual({ kind: 'wheel', size: 5n + 2n ** 40n });
    machine.parts[0] = { kind: 'engine', power: 'x' as never, since };
    await expect(machine.save()).rejects.toThrow('parts.0.power');
  });
});
