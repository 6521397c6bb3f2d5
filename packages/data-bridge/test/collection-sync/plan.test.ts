import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  apply,
  connect,
  model,
  type ModelOptions,
  OutdatedPlanError,
  plan,
  type Plan,
  type PlanStep,
} from '../../src/index.ts';
import { askForFault } from '../support/known-faults.ts';
import { openDatabase, useDatabase } from '../support/database.ts';

const hidesNothing = await askForFault('hiding an index that is there');

const database = useDatabase();
afterEach(() => database.db.dropDatabase());

const fields = {
  _id: z.int(),
  email: z.string().min(3).optional(),
  age: z.int().optional(),
  tags: z.array(z.string()).optional(),
};
type Declared = Pick<ModelOptions, 'indexes' | 'collection' | 'timestamps'>;
const people = (options: Declared = {}) => class extends model('people', fields, options as object) {};
const withIndexes = (...indexes: NonNullable<ModelOptions['indexes']>) => people({ indexes });

const people_ = () => database.db.collection<{ _id: number; [name: string]: unknown }>('people');
const actions = ({ steps }: Plan) => steps.map((step) => [step.do, nameOf(step), step.class]);
const nameOf = (step: PlanStep) => ('index' in step ? step.index.name : 'name' in step ? step.name : step.collection);
const names = async () =>
  (await people_().indexes()).flatMap(({ name }) => (name === '_id_' ? [] : [String(name)])).toSorted();

describe('plan()', () => {
  it('tells what is to be done, why, and how one types it into the shell', async () => {
    const Person = people({
      indexes: [
        { key: { email: 1 }, unique: true },
        { key: { age: 1 }, partialFilterExpression: { age: { $gt: 5 } } },
      ],
      collection: { validator: { age: { $lt: new Date(0) } } },
    });
    const { steps, notes, database: name } = await plan([Person]);
    expect({ notes, name }).toEqual({ notes: [], name: database.db.databaseName });
    expect(steps).toMatchObject([
      {
        do: 'createCollection',
        class: 'additive',
        why: 'is not there',
        shell: 'db.createCollection("people", { validator: { age: { $lt: ISODate("1970-01-01T00:00:00.000Z") } } })',
      },
      {
        do: 'createIndex',
        shell: 'db.getCollection("people").createIndex({ email: 1 }, { name: "email_1", unique: true })',
      },
      {
        do: 'createIndex',
        shell:
          'db.getCollection("people").createIndex({ age: 1 }, { name: "age_1", partialFilterExpression: { age: { $gt: 5 } } })',
      },
    ]);
    expect(await database.db.listCollections().toArray()).toEqual([]);
  });

  it('is nothing where all is as declared, also under another name', async () => {
    await people_().createIndex({ email: 1 }, { name: 'mail', unique: true });
    const Person = withIndexes({ key: { email: 1 }, unique: true });
    const { steps, notes } = await plan([Person]);
    expect({ steps, notes }).toEqual({
      steps: [],
      notes: [{ collection: 'people', name: 'mail', kind: 'kept', why: 'declared as "email_1"' }],
    });
    expect(actions(await plan([Person], { rename: true }))).toEqual([
      ['createIndex', 'email_1__bridge', 'additive'],
      ['dropIndex', 'mail', 'destructive'],
      ['createIndex', 'email_1', 'additive'],
      ['dropIndex', 'email_1__bridge', 'widening'],
    ]);
  });

  it('counts the documents, and the values that keep an index from being unique, with ids and without values', async () => {
    await people_().insertMany([
      { _id: 1, email: 'secret', tags: ['x', 'y'] },
      { _id: 2, email: 'secret', tags: ['z', 'z'] },
      { _id: 3, email: 'other', tags: ['y'] },
      { _id: 4 },
      { _id: 5 },
    ]);
    const made = await plan([
      withIndexes(
        { key: { email: 1 }, unique: true },
        { key: { tags: 1 }, unique: true, sparse: true },
        { key: { age: 1 }, unique: true, partialFilterExpression: { age: { $exists: true } } },
        { key: { age: -1 } },
      ),
    ]);
    expect(made.steps.map(({ cost }) => cost)).toEqual([
      { documents: 5, duplicates: { count: 2, samples: [[1, 2], [4, 5]] } }, // prettier-ignore
      { documents: 5, duplicates: { count: 1, samples: [[1, 3]] } },
      { documents: 5, duplicates: { count: 0, samples: [] } },
      { documents: 5 },
    ]);
    expect(JSON.stringify(made)).not.toContain('secret');
    await expect(apply(made)).rejects.toMatchObject({ code: 'DATA_BRIDGE_DUPLICATE_KEY', fields: ['email'] });
    const cheap = await plan([withIndexes({ key: { email: 1 }, unique: true })], { costs: false });
    expect(cheap.steps[0]).not.toHaveProperty('cost');
  });

  it('makes an index unique in place, and leaves it as it was where it cannot', async () => {
    await people_().insertMany([{ _id: 1, email: 'a' }, { _id: 2, email: 'a' }]); // prettier-ignore
    await apply(await plan([withIndexes({ key: { email: 1 } })]));
    const made = await plan([withIndexes({ key: { email: 1 }, unique: true })]);
    expect(actions(made)).toEqual([['makeUnique', 'email_1', 'additive']]);
    expect(made.steps[0]?.cost?.duplicates).toEqual({ count: 1, samples: [[1, 2]] });
    await expect(apply(made)).rejects.toMatchObject({
      code: 'DATA_BRIDGE_DUPLICATE_KEY',
      fields: ['email'],
      model: 'people',
    });
    await people_().insertOne({ _id: 3, email: 'a' });
    await people_().deleteMany({ _id: { $gt: 1 } });
    await apply(made);
    expect((await people_().indexes())[1]).toMatchObject({ unique: true });
  });

  it('drops what was declared once, and leaves alone what nobody here declared', async () => {
    await people_().createIndex({ age: 1 }, { name: 'of the reports' });
    await apply(await plan([withIndexes({ key: { email: 1 } }, { key: { tags: 1 } })]));
    const Person = withIndexes({ key: { email: 1 } });
    const made = await plan([Person]);
    expect(actions(made)).toEqual([['dropIndex', 'tags_1', 'destructive']]);
    expect(made.notes).toContainEqual(expect.objectContaining({ name: 'of the reports', kind: 'foreign' }));
    expect(actions(await plan([Person], { allow: ['additive', 'widening'] }))).toEqual([]);
    expect(actions(await plan([Person], { dropForeign: true }))).toHaveLength(2);
    await apply(made);
    expect(await names()).toEqual(['email_1', 'of the reports']);
  });

  it.skipIf(hidesNothing)('hides first what is no longer declared, and drops it the next time', async () => {
    const Person = withIndexes({ key: { email: 1 } });
    await apply(await plan([withIndexes({ key: { email: 1 } }, { key: { tags: 1 } })]));

    await apply(await plan([Person], { hideFirst: true }));
    expect((await people_().indexes()).find(({ name }) => name === 'tags_1')).toMatchObject({ hidden: true });
    expect(actions(await plan([withIndexes({ key: { email: 1 } }, { key: { tags: 1 } })]))).toEqual([
      ['changeIndex', 'tags_1', 'widening'],
    ]);
    await apply(await plan([Person], { hideFirst: true }));
    expect(await names()).toEqual(['email_1']);
  });

  it('takes all models of a collection together', async () => {
    const One = withIndexes({ key: { email: 1 } }, { key: { age: 1 } });
    const Other = withIndexes({ key: { email: 1 } }, { key: { tags: 1 } });
    await apply(await plan([One, Other]));
    expect(await names()).toEqual(['age_1', 'email_1', 'tags_1']);
    expect(actions(await One.planIndexes())).toEqual([]);
    await apply(await One.planIndexes());
    expect(actions(await plan([One]))).toEqual([['dropIndex', 'tags_1', 'destructive']]);
    const Clashing = withIndexes({ key: { email: 1 }, unique: true });
    await expect(plan([One, Clashing])).rejects.toThrow(/Two indexes "email_1" are declared/);
  });

  it('calls destructive what makes documents expire, or expire sooner', async () => {
    const expiring = (expireAfterSeconds: number) => withIndexes({ key: { age: 1 }, expireAfterSeconds });
    expect(actions(await plan([expiring(60)]))[1]).toEqual(['createIndex', 'age_1', 'destructive']);
    await apply(await plan([expiring(60)]));
    expect(actions(await plan([expiring(61)]))).toEqual([['changeIndex', 'age_1', 'widening']]);
    expect(actions(await plan([expiring(59)]))).toEqual([['changeIndex', 'age_1', 'destructive']]);
  });

  it('refuses options that it does not have, and what is no model', async () => {
    await expect(plan([people()], { force: true } as object)).rejects.toThrow(/does not take the option "force"/);
    await expect(plan([people()], { allow: ['all'] as never })).rejects.toThrow(/additive, widening, destructive/);
    await expect(plan([{} as never])).rejects.toThrow(/takes classes/);
    await expect(apply({} as never)).rejects.toThrow(/takes a plan/);
  });
});

describe('a plan of collections', () => {
  const ruled = (options: NonNullable<ModelOptions['collection']>) => people({ collection: options });

  it('sets the schema as validator: of documents that are there moderately, and tells how many break it', async () => {
    await people_().insertMany([{ _id: 1, email: 'x' }, { _id: 2, email: 'long enough' }]); // prettier-ignore
    const Person = ruled({ validator: true });
    const made = await plan([Person]);
    expect(made.steps).toMatchObject([
      { do: 'changeCollection', class: 'additive', cost: { documents: 2, broken: { count: 1, samples: [1] } } },
    ]);
    await apply(made);
    await people_().updateOne({ _id: 1 }, { $set: { age: 5 } });
    await expect(people_().updateOne({ _id: 2 }, { $set: { email: 'x' } })).rejects.toMatchObject({ code: 121 });
    expect(actions(await plan([Person]))).toEqual([]);
  });

  it('tells a validator that takes more from one that takes less', async () => {
    const of = (text: z.ZodType, options: Declared = {}) =>
      class extends model('people', { text }, { collection: { validator: true }, ...(options as object) }) {};
    await apply(await plan([of(z.string().min(3))]));
    const class_ = async (next: ReturnType<typeof of>) => (await plan([next])).steps.map((step) => step.class);
    expect(await class_(of(z.string().min(3)))).toEqual([]);
    expect(await class_(of(z.string().min(2)))).toEqual(['widening']);
    expect(await class_(of(z.string().min(3).optional()))).toEqual(['widening']);
    expect(await class_(of(z.string().min(4)))).toEqual(['destructive']);
    expect(await class_(of(z.int()))).toEqual(['destructive']);
    expect(await class_(of(z.string().min(3), { timestamps: true }))).toEqual(['widening']);
    expect(await class_(of(z.string(), { collection: { validator: false } }))).toEqual(['widening']);
  });

  it('takes away what is no longer declared, and leaves what it never set', async () => {
    await database.db.createCollection('people', { validator: { age: { $ne: 7 } } });
    expect(actions(await plan([people()]))).toEqual([]);
    await apply(await plan([ruled({ validator: true, validationAction: 'warn' })]));
    await apply(await plan([people()]));
    const [{ options } = {}] = (await database.db.listCollections({ name: 'people' }).toArray()) as {
      options?: object;
    }[];
    expect(options ?? {}).not.toHaveProperty('validator.$jsonSchema');
  });

  it('takes the documents of each model of the collection', async () => {
    class Cat extends model('pets', { meows: z.boolean() }, { collection: { validator: true } }) {}
    class Dog extends model('pets', { barks: z.boolean() }) {}
    await apply(await plan([Cat, Dog]));
    await Cat.create({ meows: true });
    await Dog.create({ barks: true });
    await expect(Cat.collection.insertOne({ swims: true })).rejects.toMatchObject({ code: 121 });
    class Cow extends model('pets', {}, { collection: { validator: false } }) {}
    await expect(plan([Cat, Cow])).rejects.toThrow(/a different "validator"/);
  });

  it('keeps images for change streams, and tells of what is set for good', async () => {
    const { steps } = await plan([
      ruled({ changeStreamPreAndPostImages: true, collation: { locale: 'en', strength: 2 } }),
    ]);
    expect(steps).toMatchObject([
      { options: { changeStreamPreAndPostImages: { enabled: true }, collation: { locale: 'en', strength: 2 } } },
    ]);
    await database.db.createCollection('people');
    await apply(await plan([ruled({ changeStreamPreAndPostImages: true })]));
    expect(actions(await plan([ruled({ changeStreamPreAndPostImages: true })]))).toEqual([]);
    const { notes } = await plan([ruled({ collation: { locale: 'de' } })]);
    expect(notes).toMatchObject([{ kind: 'left', why: expect.stringContaining('"collation" differs') }]);
    expect(actions(await plan([ruled({ changeStreamPreAndPostImages: false })]))).toEqual([
      ['changeCollection', 'people', 'destructive'],
    ]);
  });

  it('is what ensureCollection() does, too', async () => {
    const Person = ruled({ validator: true, changeStreamPreAndPostImages: true });
    expect(await Person.ensureCollection()).toBe(true);
    expect(actions(await plan([Person]))).toEqual([]);
  });

  it('is refused where a model says it wrongly', () => {
    expect(() => ruled({ validator: 'yes' } as never)).toThrow(
      /The model option "collection" takes an object of validator/,
    );
    expect(() => ruled({ sharded: true } as never)).toThrow(/The model option "collection"/);
  });
});

describe('a plan of a hierarchy', () => {
  class Vehicle extends model(
    'vehicles',
    { name: z.string() },
    { collection: { validator: true }, indexes: [{ key: { name: 1 } }] },
  ) {}
  class Car extends Vehicle.extend(
    { plate: z.string() },
    { type: 'car', class: () => Car, indexes: [{ key: { plate: 1 }, unique: true }] },
  ) {}

  it('is the same, of whichever classes it is asked', async () => {
    const made = await plan([Vehicle]);
    expect(await plan([Car])).toEqual(made);
    expect(await plan([Car, Vehicle])).toEqual(made);
    expect(made.steps).toMatchObject([
      { do: 'createCollection', options: { validator: { $jsonSchema: { anyOf: [{}, {}] } } } },
      { index: { name: 'name_1' } },
      { index: { name: 'plate_1_car', options: { unique: true, partialFilterExpression: { _type: 'car' } } } },
    ]);
    await apply(made);
    expect(actions(await plan([Vehicle]))).toEqual([]);
    await Car.create({ name: 'Beetle', plate: 'HH 1' });
    await expect(Vehicle.collection.insertOne({ name: 'Beetle', _type: 'car' })).rejects.toMatchObject({ code: 121 });
  });
});

describe('apply()', () => {
  const Person = withIndexes({ key: { email: 1 }, unique: true }, { key: { tags: 1 } });

  it('changes the database that the plan was made for, and no other that happens to be the default one', async () => {
    const other = await openDatabase();
    try {
      const made = await plan([Person.using(other.connection)]);
      const wasFile = JSON.parse(JSON.stringify(made)) as Plan;
      await expect(apply(wasFile)).rejects.toThrow(`The plan was made for the database "${other.db.databaseName}"`);
      await apply(made);
      expect(await database.db.listCollections({ name: 'people' }).toArray()).toEqual([]);
      expect(await other.db.collection('people').indexes()).toHaveLength(3);
      await apply(wasFile, { connection: database.connection });
      expect(await names()).toEqual(['email_1', 'tags_1']);
    } finally {
      await other.close();
    }
  });

  it('takes a plan whose connection was closed since, such as that of a DriftError', async () => {
    const again = await connect(database.uri);
    const made = await plan([Person.using(again)]);
    await again.close();
    await apply(made);
    expect(await names()).toEqual(['email_1', 'tags_1']);
  });

  it('takes a plan that was a file, tells of each step, and finds nothing to do the second time', async () => {
    const file = JSON.stringify(await plan([Person]));
    const told: string[] = [];
    const read = JSON.parse(file) as Plan;
    const { applied, skipped } = await apply(read, {
      connection: database.connection,
      onStep: (step) => told.push(nameOf(step)),
    });
    expect(told).toEqual(['people', 'email_1', 'tags_1']);
    expect(applied).toEqual(read.steps);
    expect(skipped).toEqual([]);
    expect(await apply(read)).toMatchObject({ applied: [], skipped: read.steps });
  });

  it('does nothing where the database has moved on since', async () => {
    const made = await plan([Person]);
    await people_().createIndex({ age: 1 });
    await expect(apply(made)).rejects.toThrow(OutdatedPlanError);
    await expect(apply(made)).rejects.toMatchObject({ code: 'DATA_BRIDGE_OUTDATED_PLAN', model: 'people' });
    expect(await names()).toEqual(['age_1']);
    await apply(await plan([Person]));
    expect(await names()).toEqual(['age_1', 'email_1', 'tags_1']);
  });

  it('does no harm where two do it at once', async () => {
    const made = await plan([Person]);
    await Promise.all([apply(made), apply(made)]);
    expect(await names()).toEqual(['email_1', 'tags_1']);
    await Promise.all([apply(await plan([people()])), apply(await plan([people()]))]);
    expect(await names()).toEqual([]);
  });

  it('is no part of a transaction', async () => {
    await Person.ensureCollection();
    await expect(database.connection.transaction(() => plan([Person]))).rejects.toThrow(
      /cannot be part of a transaction/,
    );
  });

  it('refuses options that it does not have', async () => {
    const made = await plan([Person]);
    await expect(apply(made, { force: true } as object)).rejects.toThrow(/not this "force"/);
  });
});
