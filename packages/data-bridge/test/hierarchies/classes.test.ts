import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, SchemaError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Car, Owner, Vehicle } from '../support/vehicles.ts';

useDatabase();

describe('what a class is', () => {
  class Ship extends model('ships', { name: z.string() }, { type: 'Ship' }) {}
  class Animal extends model('animals', { name: z.string() }, { type: 'Animal' }) {}
  class Dog extends Animal.extend({ tricks: z.int() }, { type: 'Dog', class: () => Dog }) {}
  class Cat extends Animal.extend({ lives: z.int() }, { type: 'Cat', class: () => Cat }) {}
  class Puppy extends Dog.extend({}, { type: 'Puppy', class: () => Puppy }) {}

  it('a root knows that it is one, and its type (INHERIT-01)', () => {
    expect([Ship.root, Ship.type, Ship.types]).toEqual([Ship, 'Ship', ['Ship']]);
  });

  it('classes that extend it are known to it (INHERIT-02, INHERIT-03, INHERIT-04)', () => {
    expect(Animal.types).toEqual(['Animal', 'Dog', 'Puppy', 'Cat']);
    expect([Dog, Cat, Puppy].map(({ type }) => type)).toEqual(['Dog', 'Cat', 'Puppy']);
    expect(new Set([Animal, Dog, Cat, Puppy].map(({ root }) => root))).toEqual(new Set([Animal]));
    expect(Dog.types).toEqual(['Dog', 'Puppy']);
    expect(new Set([Animal, Dog, Cat, Puppy].map(({ collection }) => collection.collectionName))).toEqual(
      new Set(['animals']),
    );
  });

  it('a model by itself is no root, and has no type (INHERIT-05)', () => {
    expect([Owner.root, Owner.type, Owner.types]).toEqual([null, null, []]);
  });

  it('a root without a type is one as soon as a class extends it', () => {
    expect([Vehicle.root, Vehicle.type]).toEqual([Vehicle, null]);
    expect(Vehicle.types).toEqual(['car', 'sports', 'motorcycle']);
  });

  it('a class that says nothing more has the collection of the root and its type (INHERIT-17)', () => {
    expect([Puppy.collection.collectionName, Puppy.type]).toEqual(['animals', 'Puppy']);
  });

  it('another collection cannot be said: it is always that of the root (INHERIT-18)', () => {
    const options = { type: 'Bird', class: () => Cat, collection: 'birds' };
    expect(() => Animal.extend({}, options)).toThrow(
      'extend() takes the options type, class, indexes, json, not "collection"',
    );
    expect(Animal.types).not.toContain('Bird');
  });

  it('siblings keep their own types (INHERIT-19)', () => {
    expect([Dog.type, Cat.type]).toEqual(['Dog', 'Cat']);
    expect(Animal.types).toEqual(expect.arrayContaining(['Dog', 'Cat']));
  });
});

describe('extend() refuses', () => {
  class Base extends model('bases', { name: z.string() }) {
    label(): string {
      return this.name;
    }
  }

  it.each<readonly [string, () => unknown, string]>([
    [
      'a field of the extended class',
      () => Base.extend({ name: z.string() }, { type: 'x', class: () => Car }),
      '"name" is one of the model that it extends',
    ],
    [
      'a field with the name of a method',
      () => Base.extend({ label: z.string() }, { type: 'y', class: () => Car }),
      'the name of a member of Base',
    ],
    ['the _id', () => Base.extend({ _id: z.string() }, { type: 'x', class: () => Car }), '"_id" is one of the model'],
    [
      'a field under the key of the type',
      () => Base.extend({ _type: z.string() }, { type: 'x', class: () => Car }),
      'choose another one by the root\'s option "typeKey"',
    ],
    [
      'a type that is taken',
      () => Vehicle.extend({}, { type: 'car', class: () => Owner }),
      'Two classes of the hierarchy have the type "car".',
    ],
    ['no type', () => Base.extend({}, { class: () => Car } as never), '"type" a text'],
    ['no class', () => Base.extend({}, { type: 'x' } as never), '"class" a function'],
    ['no options', () => Base.extend({}, undefined as never), 'takes { type, class } as its options, got undefined'],
    [
      'no fields',
      () => Base.extend(5 as never, { type: 'x', class: () => Car }),
      'an object of fields and their schemas, got a number',
    ],
    [
      'wrong indexes',
      () => Base.extend({}, { type: 'x', class: () => Car, indexes: [5] as never }),
      'a list of indexes',
    ],
    [
      'wrong getters',
      () => Base.extend({}, { type: 'x', class: () => Car, json: [5] as never }),
      'a list of the names of getters',
    ],
  ])('%s', (_, extend, message) => {
    expect(extend).toThrow(message);
  });

  it('and knows nothing of a class that was refused', () => {
    expect(Base.types).not.toContain('x');
  });

  it('a root whose own field has the key of the type', () => {
    class Typed extends model('typed', { _type: z.string() }) {}
    expect(() => Typed.extend({}, { type: 'x', class: () => Car })).toThrow(SchemaError);
    expect(() => model('typed', { _type: z.string() }, { type: 'x' })).toThrow(SchemaError);
    expect(() => model('typed', { a: z.string() }, { typeKey: '$a' })).toThrow('"typeKey" takes the name of a field');
  });

  it('at the first document a class that is another one', async () => {
    class Wrong extends Base.extend({}, { type: 'wrong', class: () => Base }) {}
    await Wrong.create({ name: 'x' });
    await expect(Base.find()).rejects.toThrow(
      'The class of the type "wrong" is named by the option "class" of extend()',
    );
  });
});

describe('a file that is evaluated again', () => {
  class Base extends model('again', { name: z.string() }) {}
  const evaluate = (): readonly [typeof Base, typeof Base] => {
    class Kid extends Base.extend({ n: z.int().default(1) }, { type: 'kid', class: () => Kid }) {}
    class Grandkid extends Kid.extend({}, { type: 'grandkid', class: () => Grandkid }) {}
    return [Kid, Grandkid];
  };

  it('makes the classes that count from then on', async () => {
    const [Before] = evaluate();
    await Before.create({ name: 'x' });
    const [Kid, Grandkid] = evaluate();
    await Grandkid.create({ name: 'y' });
    expect((await Base.find().sort({ name: 1 })).map((each) => each.constructor)).toEqual([Kid, Grandkid]);
    expect(Base.types).toEqual(['kid', 'grandkid']);
    expect(await Kid.count()).toBe(2);
    expect((await Before.findOne({ name: 'x' }))?.constructor).toBe(Before);
  });
});
