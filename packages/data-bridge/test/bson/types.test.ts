import { BSON, BSONType } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { BSON_TYPES, NUMBER_TYPES, rankOfType, TYPE_OF_TAG } from '../../src/bson/types.ts';

/** A value of each class of the bson package, by its tag. */
const instances = {
  ObjectId: new BSON.ObjectId(),
  Int32: new BSON.Int32(1),
  Double: new BSON.Double(1),
  Long: BSON.Long.fromNumber(1),
  Decimal128: BSON.Decimal128.fromString('1'),
  Timestamp: new BSON.Timestamp({ t: 1, i: 1 }),
  Binary: new BSON.Binary(Buffer.of(1)),
  BSONRegExp: new BSON.BSONRegExp('a'),
  BSONSymbol: new BSON.BSONSymbol('a'),
  Code: new BSON.Code('a'),
  DBRef: new BSON.DBRef('a', new BSON.ObjectId()),
  MinKey: new BSON.MinKey(),
  MaxKey: new BSON.MaxKey(),
};

describe('the table of BSON types', () => {
  it("has the driver's codes and names", () => {
    const driver = Object.entries(BSONType).map(([name, code]) => [name, code & 0xff]);
    expect(Object.fromEntries(BSON_TYPES.map(({ name, code }) => [name, code]))).toEqual(Object.fromEntries(driver));
  });

  it("is in MongoDB's order", () => {
    const ranks = BSON_TYPES.map(({ name }) => rankOfType(name));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });

  it('knows the types of numbers', () => {
    expect(NUMBER_TYPES).toEqual(['double', 'int', 'long', 'decimal']);
  });

  it.each(Object.keys(TYPE_OF_TAG) as (keyof typeof TYPE_OF_TAG)[])('knows how a %s is stored', (tag) => {
    const [code] = BSON.serialize({ a: instances[tag] }).subarray(4);
    expect(BSON_TYPES.find(({ name }) => name === TYPE_OF_TAG[tag])?.code).toBe(code);
  });
});
