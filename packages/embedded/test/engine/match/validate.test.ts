import * as bson from 'bson';
import { describe, expect, it } from 'vitest';
import { validator } from '../../../src/engine/match/validate.ts';
import { D, dec, doc, failure, L, text } from '../../support/engine.ts';

type Input = Record<string, unknown>;

const details = (spec: Input, document: Input): string => {
  const found = validator(doc(spec))(doc(document));
  return found === null ? 'valid' : text(found);
};
const isValid = (schema: Input, document: Input): boolean =>
  validator(doc({ $jsonSchema: schema }))(doc(document)) === null;
const property = (schema: Input): Input => ({ properties: { a: schema } });

describe('$jsonSchema', () => {
  // Schema of `a`; values it accepts; values it refuses.
  it.each<[Input, unknown[], unknown[]]>([
    [{ bsonType: 'int' }, [1], [D(1), 'x', null, L(1)]],
    [{ bsonType: ['int', 'null'] }, [1, null], ['x']],
    [{ bsonType: 'number' }, [1, D(1), L(1), dec('1')], ['1']],
    [{ bsonType: 'array' }, [[]], [1]],
    [{ type: 'number' }, [1, 1.5], ['x']],
    [{ type: 'object' }, [{}], [[], 1]],
    [{ type: ['string', 'boolean'] }, ['x', true], [1]],
    [{ enum: [1, 'x', null] }, [D(1), 'x', null], [2, 'y']],
    [{ minimum: 1 }, [1, 2, 'x'], [0, NaN]],
    [{ minimum: 1, exclusiveMinimum: true }, [2], [1]],
    [{ maximum: 5, exclusiveMaximum: false }, [5, dec('4.9')], [6, L(6)]],
    [{ multipleOf: 2 }, [4, D(4), 'x'], [3, 4.5]],
    [{ multipleOf: dec('0.1') }, [dec('0.3')], [dec('0.35')]],
    [{ minLength: 2 }, ['ab', 1], ['a', '\u{1f600}']],
    [{ maxLength: 1 }, ['\u{1f600}', ''], ['ab']],
    [{ pattern: '^a' }, ['ab', 1], ['ba']],
    [{ minItems: 1, maxItems: 2 }, [[1], 'x'], [[], [1, 2, 3]]],
    [{ uniqueItems: true }, [[1, 2], 'x'], [[1, D(1)]]],
    [{ uniqueItems: false }, [[1, 1]], []],
    [{ items: { bsonType: 'int' } }, [[1, 2], []], [[1, 'x']]],
    [{ items: [{ bsonType: 'int' }, { bsonType: 'string' }] }, [[1, 'x', null], [1]], [['x', 1]]],
    [{ items: [{ bsonType: 'int' }], additionalItems: false }, [[1]], [[1, 2]]],
    [{ items: [{}], additionalItems: { bsonType: 'int' } }, [['x', 1]], [['x', 'y']]],
    [{ minProperties: 1, maxProperties: 1 }, [{ x: 1 }, 5], [{}, { x: 1, y: 2 }]],
    [{ required: ['x'] }, [{ x: null }, 5], [{}]],
    [{ properties: { x: { bsonType: 'int' } } }, [{ x: 1 }, {}, { y: 'q' }], [{ x: 'q' }]],
    [{ properties: { x: {} }, additionalProperties: false }, [{ x: 1 }, {}], [{ y: 1 }]],
    [{ properties: { x: {} }, additionalProperties: { bsonType: 'int' } }, [{ x: 'q', y: 1 }], [{ y: 'q' }]],
    [
      { patternProperties: { '^n': { bsonType: 'int' } }, additionalProperties: false },
      [{ n1: 1 }],
      [{ n1: 'x' }, { m: 1 }],
    ],
    [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, [2], [4]],
    [{ anyOf: [{ bsonType: 'int' }, { bsonType: 'string' }] }, [1, 'x'], [true]],
    [{ oneOf: [{ minimum: 1 }, { maximum: 3 }] }, [0, 4], [2]],
    [{ not: { bsonType: 'int' } }, ['x'], [1]],
    [{ title: 't', description: 'd' }, [1], []],
    [{}, [1, null], []],
  ])('%j', (schema, accepted, refused) => {
    for (const value of accepted) expect([value, isValid(property(schema), { a: value })]).toEqual([value, true]);
    for (const value of refused) expect([value, isValid(property(schema), { a: value })]).toEqual([value, false]);
  });

  it.each<[Input, number, string]>([
    [{ foo: 1 }, 9, 'Unknown $jsonSchema keyword: foo'],
    [{ $ref: '#/x' }, 9, "$jsonSchema keyword '$ref' is not currently supported"],
    [{ default: 1 }, 9, "keyword 'default' is not currently supported"],
    [{ type: 'integer' }, 9, "type 'integer' is not currently supported"],
    [{ type: 'int' }, 2, 'Unknown type name alias: int'],
    [{ bsonType: 'foo' }, 2, 'Unknown type name alias: foo'],
    [{ type: 'string', bsonType: 'string' }, 9, "both $jsonSchema keywords 'type' and 'bsonType'"],
    [{ minimum: 'x' }, 14, "'minimum' must be a number"],
    [{ minimum: 1, exclusiveMinimum: 1 }, 14, "'exclusiveMinimum' must be a boolean"],
    [{ required: [] }, 9, 'empty array'],
    [{ enum: 1 }, 14, 'must be an array'],
    [{ minLength: -1 }, 9, 'non-negative integer'],
    [{ multipleOf: 0 }, 9, 'must be positive'],
    [{ properties: { a: 1 } }, 14, 'must be an object'],
    [{ pattern: '(' }, 51091, 'invalid'],
    [{ uniqueItems: 1 }, 14, 'must be a boolean'],
  ])('%j is refused', (schema, code, message) => {
    const error = failure(() => validator(doc({ $jsonSchema: schema })));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe('details', () => {
  it.each<[Input, Input, string]>([
    [
      {
        $jsonSchema: {
          title: 'person',
          required: ['n', 'm'],
          properties: { a: { bsonType: 'string', description: 'text' } },
        },
      },
      { n: 1, a: 5 },
      '{operatorName: "$jsonSchema", title: "person", schemaRulesNotSatisfied: [{operatorName: "required", specifiedAs: {required: ["n", "m"]}, missingProperties: ["m"]}, {operatorName: "properties", propertiesNotSatisfied: [{propertyName: "a", description: "text", details: [{operatorName: "bsonType", specifiedAs: {bsonType: "string"}, reason: "type did not match", consideredValue: 5, consideredType: "int"}]}]}]}',
    ],
    [
      { a: { $gt: 5 } },
      { a: 3 },
      '{operatorName: "$gt", specifiedAs: {a: {$gt: 5}}, reason: "comparison failed", consideredValue: 3, consideredType: "int"}',
    ],
    [
      { a: { $exists: true } },
      {},
      '{operatorName: "$exists", specifiedAs: {a: {$exists: true}}, reason: "path does not exist"}',
    ],
    [{ a: 1 }, {}, '{operatorName: "$eq", specifiedAs: {a: 1}, reason: "field was missing"}'],
    [
      { a: 1, b: { $type: 'string' } },
      { a: 1, b: 2 },
      '{operatorName: "$and", clausesNotSatisfied: [{index: 1, details: {operatorName: "$type", specifiedAs: {b: {$type: "string"}}, reason: "type did not match", consideredValue: 2, consideredType: "int"}}]}',
    ],
    [
      { $or: [{ a: 1 }, { a: 2 }] },
      { a: 3 },
      '{operatorName: "$or", clausesNotSatisfied: [{index: 0, details: {operatorName: "$eq", specifiedAs: {a: 1}, reason: "comparison failed", consideredValue: 3, consideredType: "int"}}, {index: 1, details: {operatorName: "$eq", specifiedAs: {a: 2}, reason: "comparison failed", consideredValue: 3, consideredType: "int"}}]}',
    ],
    [
      { $expr: { $lt: ['$a', '$b'] } },
      { a: 2, b: 1 },
      '{operatorName: "$expr", specifiedAs: {$expr: {$lt: ["$a", "$b"]}}, reason: "expression did not match"}',
    ],
    [{ a: { $gt: 5 } }, { a: 6 }, 'valid'],
    [{}, { a: 6 }, 'valid'],
  ])('of %j for %j', (spec, document, expected) => {
    expect(details(spec, document)).toBe(expected);
  });

  it('name the type of a BSON value', () => {
    const schema = { $jsonSchema: { properties: { a: { bsonType: 'objectId' } } } };
    expect(details(schema, { a: new bson.Decimal128('1') })).toContain('consideredType: "decimal"');
  });
});
