// JSON Schema as MongoDB's `$jsonSchema` has it: draft 4 with `bsonType`, and without the keywords it refuses.
// https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/
import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { compileRegex } from './regex.ts';
import { typesOf } from './value-test.ts';
import { isZeroNumber, remainder, toSafeInteger } from '../../values/number.ts';
import { compare, equals, keyOf } from '../../values/order.ts';
import { NUMBER_TYPES, type TypeName } from '../../values/types.ts';
import {
  type Document,
  documentOf,
  isArray,
  isDocument,
  isNumeric,
  type Numeric,
  typeOf,
  typeOrMissing,
  type Value,
} from '../../values/value.ts';

/** Rules that a value breaks, each as MongoDB's error details show it; none if it is valid. */
export type SchemaCheck = (value: Value) => Document[];

/** Compiles a keyword: its argument, and the schema around it. */
type Keyword = (argument: Value, schema: Document) => SchemaCheck;

/** The test of whether a value keeps a schema's rules. */
export function schemaTest(schema: Document): (value: Value) => boolean {
  const check = compileSchema(schema);
  return (value) => check(value).length === 0;
}

/**
 * Compiles a schema.
 * @throws ServerError 9 (FailedToParse) for a keyword that is unknown or refused, 14 or 2 for a wrong argument
 */
export function compileSchema(schema: Document): SchemaCheck {
  if (schema.has('type') && schema.has('bsonType')) {
    throw new ServerError(9, "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const checks: SchemaCheck[] = [];
  for (const [name, argument] of schema) {
    const keyword = KEYWORDS.get(name);
    if (keyword !== undefined) checks.push(keyword(argument, schema));
    else if (!COMPANIONS.has(name)) throw unknownKeyword(name);
  }
  return (value) => checks.flatMap((check) => check(value));
}

/** Keywords without a rule of their own: texts, and what other keywords look at. */
const COMPANIONS: ReadonlySet<string> = new Set(['title', 'description', 'exclusiveMinimum', 'exclusiveMaximum']);
const REFUSED: ReadonlySet<string> = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id']);

function unknownKeyword(name: string): ServerError {
  if (REFUSED.has(name)) return new ServerError(9, `$jsonSchema keyword '${name}' is not currently supported`);
  return new ServerError(9, `Unknown $jsonSchema keyword: ${name}`);
}

/** The detail of one broken rule. */
function broken(name: string, argument: Value, reason: string, value: Value): Document {
  return documentOf(
    ['operatorName', name],
    ['specifiedAs', new Map([[name, argument]])],
    ['reason', reason],
    ['consideredValue', value],
    ['consideredType', typeOf(value)],
  );
}

/** A keyword that holds for every value that is not of its kind, and otherwise by a test. */
function rule(
  name: string,
  reason: string,
  makeTest: (argument: Value, schema: Document) => (value: Value) => boolean,
): Keyword {
  return (argument, schema) => {
    const test = makeTest(argument, schema);
    return (value) => (test(value) ? [] : [broken(name, argument, reason, value)]);
  };
}

const JSON_TYPES: Readonly<Record<string, readonly TypeName[]>> = {
  object: ['object'],
  array: ['array'],
  string: ['string'],
  boolean: ['bool'],
  null: ['null'],
  number: NUMBER_TYPES,
};

function typeKeyword(name: 'type' | 'bsonType'): Keyword {
  const typesFor = (alias: Value): readonly TypeName[] => {
    if (typeof alias !== 'string')
      throw new ServerError(14, `$jsonSchema keyword '${name}' must name types by strings`);
    if (name === 'bsonType') return typesOf(alias);
    if (alias === 'integer') throw new ServerError(9, "$jsonSchema type 'integer' is not currently supported.");
    const types = Object.hasOwn(JSON_TYPES, alias) ? JSON_TYPES[alias] : undefined;
    if (types === undefined) throw new ServerError(2, `Unknown type name alias: ${alias}`);
    return types;
  };
  return rule(name, 'type did not match', (argument) => {
    const types = new Set((isArray(argument) ? argument : [argument]).flatMap(typesFor));
    if (types.size === 0) throw new ServerError(9, `$jsonSchema keyword '${name}' must name at least one type`);
    return (value) => types.has(typeOf(value));
  });
}

/** `minimum` and `maximum`, with the boolean that makes them exclusive. */
function bound(name: 'minimum' | 'maximum', sign: 1 | -1): Keyword {
  const flag = name === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum';
  return rule(name, 'comparison failed', (argument, schema) => {
    const limit = numberArgument(name, argument);
    const exclusive = schema.get(flag) ?? false;
    if (typeof exclusive !== 'boolean') throw new ServerError(14, `$jsonSchema keyword '${flag}' must be a boolean`);
    return (value) => {
      if (!isNumeric(value)) return true;
      const order = compare(value, limit) * sign;
      return exclusive ? order > 0 : order >= 0;
    };
  });
}

/** A limit on a count: of characters, elements or members. */
function count(name: string, reason: string, sign: 1 | -1, countOf: (value: Value) => number | undefined): Keyword {
  return rule(name, reason, (argument) => {
    const limit = toSafeInteger(argument);
    if (limit === undefined || limit < 0) {
      throw new ServerError(9, `$jsonSchema keyword '${name}' must be a non-negative integer`);
    }
    return (value) => {
      const size = countOf(value);
      return size === undefined || (size - limit) * sign >= 0;
    };
  });
}

const lengthOf = (value: Value): number | undefined => (typeof value === 'string' ? [...value].length : undefined);
const itemsIn = (value: Value): number | undefined => (isArray(value) ? value.length : undefined);
const membersOf = (value: Value): number | undefined => (isDocument(value) ? value.size : undefined);

const multipleOf = rule('multipleOf', 'considered value is not a multiple of the specified value', (argument) => {
  const unit = numberArgument('multipleOf', argument);
  if (compare(unit, new Int32(0)) <= 0) throw new ServerError(9, "$jsonSchema keyword 'multipleOf' must be positive");
  return (value) => !isNumeric(value) || isZeroNumber(remainder(value, unit));
});

const pattern = rule('pattern', 'regular expression did not match', (argument) => {
  if (typeof argument !== 'string') throw new ServerError(14, "$jsonSchema keyword 'pattern' must be a string");
  const regex = compileRegex(argument, '');
  return (value) => typeof value !== 'string' || regex.test(value);
});

const enumeration = rule('enum', 'value was not found in enum', (argument) => {
  const members = nonEmptyArray('enum', argument);
  return (value) => members.some((member) => equals(member, value));
});

const uniqueItems = rule('uniqueItems', 'found a duplicate item', (argument) => {
  if (typeof argument !== 'boolean') throw new ServerError(14, "$jsonSchema keyword 'uniqueItems' must be a boolean");
  return (value) =>
    !argument || !isArray(value) || new Set(value.map((element) => keyOf(element))).size === value.length;
});

const requiredKeyword: Keyword = (argument) => {
  const names = nonEmptyArray('required', argument);
  return (value) => {
    if (!isDocument(value)) return [];
    const missing = names.filter((name) => !value.has(stringArgument('required', name)));
    if (missing.length === 0) return [];
    return [detail('required', ['specifiedAs', new Map([['required', argument]])], ['missingProperties', missing])];
  };
};

const properties: Keyword = (argument) => {
  const checks = schemasByName('properties', argument);
  const described = isDocument(argument) ? argument : new Map<string, Value>();
  return (value) => {
    if (!isDocument(value)) return [];
    const failures: Value[] = [];
    for (const [name, check] of checks) {
      const inner = value.get(name);
      const details = inner === undefined ? [] : check(inner);
      if (details.length === 0) continue;
      failures.push(documentOf(['propertyName', name], ...descriptions(described.get(name)), ['details', details]));
    }
    return failures.length === 0 ? [] : [detail('properties', ['propertiesNotSatisfied', failures])];
  };
};

const patternProperties: Keyword = (argument) => {
  const checks = Array.from(schemasByName('patternProperties', argument), ([source, check]) => ({
    source,
    regex: compileRegex(source, ''),
    check,
  }));
  return (value) => {
    if (!isDocument(value)) return [];
    const failures: Value[] = [];
    for (const [name, inner] of value) {
      for (const { source, regex, check } of checks) {
        const details = regex.test(name) ? check(inner) : [];
        if (details.length > 0)
          failures.push(documentOf(['propertyName', name], ['regexMatched', source], ['details', details]));
      }
    }
    return failures.length === 0 ? [] : [detail('patternProperties', ['details', failures])];
  };
};

const additionalProperties: Keyword = (argument, schema) => {
  const named = schemasByName('properties', schema.get('properties') ?? new Map());
  const patterns = Array.from(schemasByName('patternProperties', schema.get('patternProperties') ?? new Map()).keys());
  const regexes = patterns.map((source) => compileRegex(source, ''));
  const check = booleanOrSchema('additionalProperties', argument);
  return (value) => {
    if (!isDocument(value) || check === undefined) return [];
    const others = [...value].filter(([name]) => !named.has(name) && !regexes.some((regex) => regex.test(name)));
    if (check === 'none') {
      const names = others.map(([name]) => name);
      const specified = new Map([['additionalProperties', argument]]);
      if (names.length === 0) return [];
      return [detail('additionalProperties', ['specifiedAs', specified], ['additionalProperties', names])];
    }
    const [failed] = others.map(([name, inner]) => ({ name, details: check(inner) })).filter(hasDetails);
    if (failed === undefined) return [];
    const reason = 'at least one additional property did not match the subschema';
    return [
      detail('additionalProperties', ['reason', reason], ['failingProperty', failed.name], ['details', failed.details]),
    ];
  };
};

const items: Keyword = (argument) => {
  if (isArray(argument)) {
    const checks = argument.map((schema) => schemaArgument('items', schema));
    return (value) => {
      if (!isArray(value)) return [];
      const failures = checks.flatMap((check, index) => {
        const element = value[index];
        const details = element === undefined ? [] : check(element);
        return details.length === 0 ? [] : [documentOf(['itemIndex', new Int32(index)], ['details', details])];
      });
      return failures.length === 0 ? [] : [detail('items', ['details', failures])];
    };
  }
  const check = schemaArgument('items', argument);
  return (value) => (isArray(value) ? firstFailure('items', value, 0, check) : []);
};

const additionalItems: Keyword = (argument, schema) => {
  const tuple = schema.get('items');
  const check = booleanOrSchema('additionalItems', argument);
  if (!isArray(tuple) || check === undefined) return () => [];
  return (value) => {
    if (!isArray(value)) return [];
    if (check !== 'none') return firstFailure('additionalItems', value, tuple.length, check);
    const extra = value.slice(tuple.length);
    if (extra.length === 0) return [];
    const specified = new Map([['additionalItems', argument]]);
    return [
      detail(
        'additionalItems',
        ['specifiedAs', specified],
        ['reason', 'found additional items'],
        ['additionalItems', extra],
      ),
    ];
  };
};

function firstFailure(name: string, array: readonly Value[], from: number, check: SchemaCheck): Document[] {
  const [failed] = array.map((item, index) => ({ index, details: index < from ? [] : check(item) })).filter(hasDetails);
  if (failed === undefined) return [];
  const reason = 'At least one item did not match the sub-schema';
  return [detail(name, ['reason', reason], ['itemIndex', new Int32(failed.index)], ['details', failed.details])];
}

const hasDetails = ({ details }: { readonly details: readonly Document[] }): boolean => details.length > 0;

const allOf: Keyword = (argument) => {
  const checks = schemaList('allOf', argument);
  return (value) => {
    const failed = unsatisfied(checks.map((check) => check(value)));
    return failed.length === 0 ? [] : [detail('allOf', ['schemasNotSatisfied', failed])];
  };
};

const anyOf: Keyword = (argument) => {
  const checks = schemaList('anyOf', argument);
  return (value) => {
    const failed = unsatisfied(checks.map((check) => check(value)));
    return failed.length < checks.length ? [] : [detail('anyOf', ['schemasNotSatisfied', failed])];
  };
};

const oneOf: Keyword = (argument) => {
  const checks = schemaList('oneOf', argument);
  return (value) => {
    const results = checks.map((check) => check(value));
    const satisfied = results.flatMap((details, index) => (details.length === 0 ? [new Int32(index)] : []));
    if (satisfied.length === 1) return [];
    if (satisfied.length === 0) return [detail('oneOf', ['schemasNotSatisfied', unsatisfied(results)])];
    return [detail('oneOf', ['reason', 'more than one subschema matched'], ['matchingSchemaIndexes', satisfied])];
  };
};

const notKeyword: Keyword = (argument) => {
  const check = schemaArgument('not', argument);
  return (value) => {
    if (check(value).length > 0) return [];
    return [detail('not', ['specifiedAs', new Map([['not', argument]])], ['reason', 'child expression matched'])];
  };
};

function unsatisfied(results: readonly Document[][]): Document[] {
  return results.flatMap((details, index) =>
    details.length === 0 ? [] : [documentOf(['index', new Int32(index)], ['details', details])],
  );
}

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map([
  ['type', typeKeyword('type')],
  ['bsonType', typeKeyword('bsonType')],
  ['enum', enumeration],
  ['minimum', bound('minimum', 1)],
  ['maximum', bound('maximum', -1)],
  ['multipleOf', multipleOf],
  ['minLength', count('minLength', 'specified string length was not satisfied', 1, lengthOf)],
  ['maxLength', count('maxLength', 'specified string length was not satisfied', -1, lengthOf)],
  ['pattern', pattern],
  ['minItems', count('minItems', 'array did not match specified length', 1, itemsIn)],
  ['maxItems', count('maxItems', 'array did not match specified length', -1, itemsIn)],
  ['uniqueItems', uniqueItems],
  ['items', items],
  ['additionalItems', additionalItems],
  ['minProperties', count('minProperties', 'specified number of properties was not satisfied', 1, membersOf)],
  ['maxProperties', count('maxProperties', 'specified number of properties was not satisfied', -1, membersOf)],
  ['properties', properties],
  ['patternProperties', patternProperties],
  ['additionalProperties', additionalProperties],
  ['required', requiredKeyword],
  ['allOf', allOf],
  ['anyOf', anyOf],
  ['oneOf', oneOf],
  ['not', notKeyword],
]);

function detail(operatorName: string, ...fields: readonly [string, Value][]): Document {
  return documentOf(['operatorName', operatorName], ...fields);
}

/** Title and description of a property's schema help whoever reads the error. */
function descriptions(schema: Value | undefined): [string, Value][] {
  return isDocument(schema) ? [...schema].filter(([name]) => name === 'title' || name === 'description') : [];
}

function schemaArgument(name: string, schema: Value): SchemaCheck {
  if (isDocument(schema)) return compileSchema(schema);
  throw new ServerError(14, `$jsonSchema keyword '${name}' must be an object, but found ${typeOrMissing(schema)}`);
}

function schemasByName(name: string, schemas: Value): ReadonlyMap<string, SchemaCheck> {
  if (!isDocument(schemas)) throw new ServerError(14, `$jsonSchema keyword '${name}' must be an object`);
  return new Map(Array.from(schemas, ([key, schema]) => [key, schemaArgument(name, schema)]));
}

function schemaList(name: string, schemas: Value): SchemaCheck[] {
  return nonEmptyArray(name, schemas).map((schema) => schemaArgument(name, schema));
}

/** `true` asks for nothing and is `undefined` here; `false` is `none`. */
function booleanOrSchema(name: string, argument: Value): SchemaCheck | 'none' | undefined {
  if (argument === true) return undefined;
  return argument === false ? 'none' : schemaArgument(name, argument);
}

function nonEmptyArray(name: string, argument: Value): Value[] {
  if (!isArray(argument)) throw new ServerError(14, `$jsonSchema keyword '${name}' must be an array`);
  if (argument.length === 0) throw new ServerError(9, `$jsonSchema keyword '${name}' cannot be an empty array`);
  return argument;
}

function stringArgument(name: string, argument: Value): string {
  if (typeof argument === 'string') return argument;
  throw new ServerError(14, `$jsonSchema keyword '${name}' must be an array of strings`);
}

function numberArgument(name: string, argument: Value): Numeric {
  if (isNumeric(argument)) return argument;
  throw new ServerError(14, `$jsonSchema keyword '${name}' must be a number`);
}
