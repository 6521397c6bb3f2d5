import { inspect } from 'node:util';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { FieldNotLoadedError, InvalidIdError, model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Person extends model('people', { name: z.string(), age: z.int(), city: z.string().default('Rome') }) {}

describe('findOne and findById', () => {
  const database = useDatabase();
  let ann: Person;

  beforeAll(async () => {
    ann = await Person.create({ name: 'Ann', age: 31 });
    database.sent();
  });

  it('send nothing before they are awaited, and are sent once for each time', async () => {
    const query = Person.findById(ann._id);
    await new Promise((resolve) => setImmediate(resolve));
    expect(database.sent()).toEqual([]);
    expect((await query)?.name).toBe('Ann');
    expect(database.sent()).toMatchObject([{ find: 'people', limit: 1 }]);
    expect((await query.finally())?.name).toBe('Ann');
    expect(database.sent()).toHaveLength(1);
    expectTypeOf(await query).toEqualTypeOf<Person | null>();
  });

  it('give null where there is none', async () => {
    expect(await Person.findOne({ name: 'Bob' })).toBeNull();
    expect(await Person.findOne({ name: 'Bob' }).lean()).toBeNull();
  });

  it('take select, omit and lean, as queries do', async () => {
    const part = await Person.findOne({ name: 'Ann' }).select('name');
    expect(part?.name).toBe('Ann');
    // @ts-expect-error the age was not asked for
    expect(() => part?.age).toThrow(FieldNotLoadedError);
    const rest = await Person.findById(ann._id).omit('age');
    expect(rest?.city).toBe('Rome');
    const lean = await Person.findById(ann._id).select('name').lean();
    expect(lean).toEqual({ _id: ann._id, name: 'Ann' });
    expect(lean).not.toBeInstanceOf(Person);
  });

  it('stand where a promise is asked for', async () => {
    const both: (Person | null)[] = await Promise.all([Person.findById(ann._id), Person.findOne({ name: 'Bob' })]);
    expect(both.map((each) => each?.name)).toEqual(['Ann', undefined]);
    const promise: Promise<Person | null> = Person.findById(ann._id);
    expect(await promise).toEqual(ann);
    expect(Object.prototype.toString.call(promise)).toBe('[object OneQuery]');
  });

  it('tell what is wrong when they are awaited', async () => {
    const wrong = Person.findById('no id');
    await expect(wrong).rejects.toThrow(InvalidIdError);
    await expect(wrong.select('name')).rejects.toThrow(InvalidIdError);
    expect(await wrong.catch((error: Error) => error.name)).toBe('InvalidIdError');
    await expect(Person.findOne({ $where: '1' } as never, { projection: {} } as never)).rejects.toThrow(UsageError);
    await expect(Person.findOne().select()).rejects.toThrow('select() takes the paths of fields, got none');
    expect(inspect(wrong)).toContain('cannot be sent');
  });

  it('show in logs what is asked, without its values', () => {
    expect(inspect(Person.findOne({ name: 'secret' }).select('age'))).toBe(
      `Query of "people": find({ name: <string> }).select('age'), not sent until it is awaited`,
    );
  });

  it('ask for what the filter was when it was given', async () => {
    const filter = { name: 'Ann' };
    const query = Person.findOne(filter);
    filter.name = 'Bob';
    expect((await query)?.name).toBe('Ann');
  });
});
