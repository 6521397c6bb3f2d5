import { classShape } from './class-shape.ts';
import { property } from './schema-library.ts';
import {
  both,
  either,
  type Found,
  impossible,
  MAX_WRAPPERS,
  NOTHING,
  opaque,
  type Place,
  type PlaceOf,
  SCALAR,
  type Shape,
  shapes,
  UNKNOWN,
} from './schema-shape.ts';

const IMPOSSIBLE = new Set(['set', 'symbol', 'function', 'promise', 'file', 'blob']);
/** Transformations that leave the value as it is. */
const NO_CHANGE = new Set(['brand', 'flavor', 'readonly']);

/** What a Valibot schema tells of its values. https://valibot.dev/guides/internal-architecture/ */
export function valibotFound(schema: unknown, placeOf: PlaceOf, depth = 0): Found {
  if (schema === undefined || depth > MAX_WRAPPERS) return NOTHING;
  const pipe = property(schema, 'pipe');
  const found = Array.isArray(pipe) ? ofPipe(schema, pipe, placeOf, depth) : ofType(schema, placeOf, depth);
  return property(schema, 'fallback') === undefined ? found : opaque(found, found.input ?? schema);
}

function ofPipe(schema: unknown, pipe: readonly unknown[], placeOf: PlaceOf, depth: number): Found {
  const [first] = pipe;
  const schemas = pipe.filter((part) => property(part, 'kind') === 'schema');
  const last = schemas.at(-1);
  const changes = (part: unknown): boolean =>
    property(part, 'kind') === 'transformation' && !NO_CHANGE.has(String(property(part, 'type')));
  if (!pipe.some(changes) && last === first) return ofType(schema, placeOf, depth);
  const isTold = pipe.findLastIndex(changes) < pipe.lastIndexOf(last);
  return opaque(isTold ? valibotFound(last, placeOf, depth + 1) : shapes(UNKNOWN), first);
}

function ofType(schema: unknown, placeOf: PlaceOf, depth: number): Found {
  const inside = (inner: unknown): Found => valibotFound(inner, placeOf, depth + 1);
  const type = String(property(schema, 'type'));
  switch (type) {
    case 'optional':
    case 'exact_optional':
    case 'undefinedable':
    case 'nullable':
    case 'nullish':
    case 'non_optional':
    case 'non_nullable':
    case 'non_nullish':
      return foundInside(property(schema, 'wrapped'), placeOf, inside);
    case 'lazy':
      return foundInside((property(schema, 'getter') as (given: unknown) => unknown)(undefined), placeOf, inside);
    case 'union':
    case 'variant':
      return either((property(schema, 'options') as unknown[]).map((each) => foundInside(each, placeOf, inside)));
    case 'object':
    case 'loose_object':
    case 'strict_object':
    case 'object_with_rest':
      return shapes(objectShape(schema, type, placeOf));
    case 'record':
      return shapes({ type: 'record', others: placeOf(property(schema, 'value')), keepsOthers: true });
    case 'map':
      return shapes(mapShape(schema, placeOf));
    case 'array':
      return shapes({ type: 'array', rest: placeOf(property(schema, 'item')) });
    case 'tuple':
    case 'loose_tuple':
    case 'strict_tuple':
    case 'tuple_with_rest': {
      const rest = property(schema, 'rest');
      const elements = (property(schema, 'items') as unknown[]).map((item) => placeOf(item));
      return shapes({ type: 'array', elements, rest: rest === undefined ? undefined : placeOf(rest) });
    }
    case 'bigint':
      return shapes({ type: 'scalar', kind: 'bigint' });
    case 'date':
      return shapes({ type: 'scalar', kind: 'date' });
    case 'instance':
      return shapes(classShape(property(schema, 'class')));
    case 'any':
    case 'unknown':
    case 'custom':
      return shapes(UNKNOWN);
    case 'intersect':
      return (property(schema, 'options') as unknown[]).map((each) => foundInside(each, placeOf, inside)).reduce(both);
    case 'null':
    case 'undefined':
    case 'void':
      return shapes();
    default:
      return shapes(IMPOSSIBLE.has(type) ? impossible(`v.${type}(), for which BSON has no type`) : SCALAR);
  }
}

/** A schema of BSON, too, may be inside. */
function foundInside(schema: unknown, placeOf: PlaceOf, inside: (inner: unknown) => Found): Found {
  if (property(schema, '~bson') === undefined) return inside(schema);
  const { shapes: found, isOpaque } = placeOf(schema);
  return { shapes: found, isOpaque };
}

function objectShape(schema: unknown, type: string, placeOf: PlaceOf): Shape {
  const entries = property(schema, 'entries') as Record<string, unknown>;
  const members = new Map<string, Place>();
  const literals = new Map<string, readonly unknown[]>();
  for (const key of Object.keys(entries)) {
    const entry = entries[key];
    members.set(key, placeOf(entry));
    if (property(entry, 'type') === 'literal') literals.set(key, [property(entry, 'literal')]);
    if (property(entry, 'type') === 'picklist') literals.set(key, property(entry, 'options') as unknown[]);
  }
  const rest = property(schema, 'rest');
  const others = rest === undefined ? undefined : placeOf(rest);
  const refusesOthers = type === 'strict_object';
  return { type: 'object', members, literals, others, keepsOthers: type !== 'object', refusesOthers };
}

const NO_STRINGS = new Set(['number', 'bigint', 'boolean', 'date', 'object', 'array', 'null', 'nan']);

function mapShape(schema: unknown, placeOf: PlaceOf): Shape {
  const key = String(property(property(schema, 'key'), 'type'));
  const problem = NO_STRINGS.has(key) ? 'a Map whose keys are no strings, as BSON’s are' : undefined;
  return { type: 'record', kind: 'map', others: placeOf(property(schema, 'value')), keepsOthers: true, problem };
}
