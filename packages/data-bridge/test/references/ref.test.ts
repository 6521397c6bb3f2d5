import { ObjectId } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, type Ref, ref, UsageError, ValidationError } from '../../src/index.ts';
import { definitionKey } from '../../src/definition/model-definition.ts';
import { SchemaField } from '../../src/schema/schema-field.ts';
import { useDatabase } from '../support/database.ts';

class Company extends model('companies', { name: z.string(), owner: ref<Person>(() => Person).nullable() }) {}
class Person extends model('people', {
  name: z.string(),
  company: ref<Company>(() => Company).optional(),
  friends: ref<Person>(() => Person).array(),
  country: ref<Country>(() => Country).optional(),
}) {}
class Country extends model('countries', { _id: z.string().length(2), name: z.string() }) {}

describe('ref', () => {
  useDatabase();

  it('takes an id, its text or the document, and stores the id', async () => {
    const acme = await Company.create({ name: 'Acme', owner: null });
    const ann = await Person.create({ name: 'Ann', company: acme, friends: [] });
    const bob = await Person.create({ name: 'Bob', company: acme._id.toHexString(), friends: [ann, ann._id] });
    const stored = await Person.findById(bob._id);
    expect(stored?.company?.$id).toEqual(acme._id);
    expect(stored?.friends.map(({ $id }) => $id)).toEqual([ann._id, ann._id]);
    expect(await Person.find({ company: acme._id }).count()).toBe(2);
    expectTypeOf(ann.company).toEqualTypeOf<Ref<Company> | undefined>();
    expectTypeOf(acme.owner).toEqualTypeOf<Ref<Person> | null>();
    expectTypeOf(ann.friends).toEqualTypeOf<Ref<Person>[]>();
  });

  it("follows the target's own _id", async () => {
    const italy = new Country({ _id: 'IT', name: 'Italy' });
    const ann = await Person.create({ name: 'Ann', friends: [], country: italy });
    expect(ann.country?.$id).toBe('IT');
    expectTypeOf(ann.country).toEqualTypeOf<Ref<Country> | undefined>();
    await expect(Person.create({ name: 'Bob', friends: [], country: 'Italy' })).rejects.toThrow(ValidationError);
  });

  it('refuses what is no reference, and says so without the value', async () => {
    const wrong = Person.create({ name: 'Ann', company: 'secret', friends: ['nobody', new ObjectId()] });
    await expect(wrong).rejects.toThrow(ValidationError);
    const { issues, message } = (await wrong.catch((error: unknown) => error)) as ValidationError;
    expect(issues.map((issue) => issue.path)).toEqual(['company', 'friends.0']);
    expect(message).not.toMatch(/secret|nobody/);
    const other = new Person({ name: 'Ann', friends: [] });
    // @ts-expect-error a person is no company
    await expect(Person.create({ name: 'Bob', company: other, friends: [] })).rejects.toThrow('the _id of a Company');
    // @ts-expect-error a list is asked for
    await expect(Person.create({ name: 'Bob', friends: other })).rejects.toThrow('Expected a list of references');
  });

  it('takes the text of an id in filters and static updates, lists and operators included', async () => {
    const [acme, other] = await Company.insertMany([
      { name: 'Acme', owner: null },
      { name: 'Other', owner: null },
    ]);
    const cat = await Person.create({ name: 'Cat', friends: [], company: acme?._id });
    const dan = await Person.create({ name: 'Dan', friends: [cat], company: other?._id });
    const ids = [acme, other].map((company) => company?._id.toHexString() ?? '');
    const [id = ''] = ids;
    const names = async (filter: object) =>
      (await Person.find({ $and: [{ _id: { $in: [cat._id, dan._id] } }, filter] })).map(({ name }) => name);
    expect(await names({ company: id })).toEqual(['Cat']);
    expect(await names({ company: { $eq: id } })).toEqual(['Cat']);
    expect(await names({ company: { $ne: id } })).toEqual(['Dan']);
    expect(await names({ company: { $in: ids } })).toEqual(['Cat', 'Dan']);
    expect(await names({ company: { $nin: [id] } })).toEqual(['Dan']);
    expect(await names({ company: { $not: { $eq: id } } })).toEqual(['Dan']);
    expect(await names({ company: { $gte: id, $lte: id } })).toEqual(['Cat']);
    const friend = cat._id.toHexString();
    expect(await names({ friends: friend })).toEqual(['Dan']);
    expect(await names({ friends: [friend] })).toEqual(['Dan']);
    expect(await names({ friends: { $all: [friend] } })).toEqual(['Dan']);
    expect(await names({ friends: { $elemMatch: { $in: [friend] } } })).toEqual(['Dan']);
    expect(await names({ country: 'IT' })).toEqual([]);
    expect(() => Person.find({ company: 'no id' })).toThrow(UsageError);
    expect(() => Person.find({ company: { $not: { $in: ['no id'] } } })).toThrow(UsageError);
    const push = { friends: { $each: [friend, dan._id.toHexString()] } };
    await Person.updateOne({ _id: cat._id }, { $push: push, $set: { company: ids[1] } } as never);
    expect((await Person.findById(cat._id))?.toObject()).toMatchObject({
      friends: [cat._id, dan._id],
      company: other?._id,
    });
    await Person.updateOne({ _id: cat._id }, { $pull: { friends: friend } });
    expect((await Person.findById(cat._id))?.friends.map(({ $id }) => $id)).toEqual([dan._id]);
  });

  it('is by the _id: a document as another value is refused, and the error says what to pass', async () => {
    const acme = await Company.create({ name: 'Acme', owner: null });
    for (const call of [
      async () => Person.find({ name: acme as never }),
      async () => Person.findBy({ name: acme as never }),
      async () => Person.find({ company: { some: acme } as never }),
      async () => Person.updateMany({}, { $set: { name: acme as never } }),
    ]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EncodeError);
      expect((error as Error).message).toContain('a document of Company: pass its _id');
    }
  });

  it("has the JSON Schema of its target's _id", () => {
    expect(Person.jsonSchema['properties']).toMatchObject({
      company: { bsonType: 'objectId' },
      friends: { bsonType: 'array', items: { bsonType: 'objectId' } },
      country: { bsonType: 'string', minLength: 2, maxLength: 2 },
    });
    expect(Company.jsonSchema['properties']).toMatchObject({ owner: { bsonType: ['objectId', 'null'] } });
    expect(Person.jsonSchema['required']).toEqual(['name', 'friends']);
  });

  it('is known by its field', () => {
    const fields = {
      people: Person.prototype[definitionKey].fields,
      companies: Company.prototype[definitionKey].fields,
    };
    const shown = (field: SchemaField | undefined): unknown =>
      field?.target && [field.target.models()[0], field.target.isList];
    expect(shown(fields.people.get('company'))).toEqual([Company, false]);
    expect(shown(fields.people.get('friends'))).toEqual([Person, true]);
    expect(shown(fields.companies.get('owner'))).toEqual([Person, false]);
    expect(shown(fields.people.get('name'))).toBeUndefined();
    const broken = new SchemaField(
      'broken',
      ref<Company>(() => 'companies'),
    );
    expect(() => broken.target?.models()[0]).toThrow(UsageError);
  });

  it('refuses a target that is no model', () => {
    expect(() => ref<Company>('companies')).toThrow(UsageError);
    const broken = ref<Company>(() => 'companies');
    expect(() => broken['~standard'].validate(new ObjectId())).toThrow('a function that gives a model');
  });
});
