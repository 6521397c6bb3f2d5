import { classShape } from './class-shape.ts';
import { definitionOf, property } from './schema-library.ts';
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
  referenceShape,
  SCALAR,
  type Shape,
  shapes,
  UNKNOWN,
} from './schema-shape.ts';

/** What no BSON type stands for. */
const IMPOSSIBLE = new Set(['set', 'symbol', 'function', 'promise', 'file']);

/** What a Zod schema tells of its values. https://zod.dev/packages/core */
export function zodFound(schema: unknown, placeOf: PlaceOf, depth = 0): Found {
  const def = definitionOf(schema) as Record<string, unknown> | undefined;
  if (def === undefined || depth > MAX_WRAPPERS) return NOTHING;
  const found = ownFound(schema) ?? ofType(schema, def, placeOf, depth);
  return overwrites(def) ? opaque(found, found.input ?? schema) : found;
}

/** Of the mapper's own types: those of BSON, and references. */
function ownFound(schema: unknown): Found | undefined {
  if (property(schema, '~target') !== undefined) return shapes(referenceShape(schema));
  const kind = property(schema, '~bson');
  return kind === undefined ? undefined : shapes({ type: 'scalar', kind } as Shape);
}

/** Checks such as `trim()` that give another value of the type. */
function overwrites({ checks }: Record<string, unknown>): boolean {
  return Array.isArray(checks) && checks.some((check) => property(definitionOf(check), 'check') === 'overwrite');
}

function ofType(schema: unknown, def: Record<string, unknown>, placeOf: PlaceOf, depth: number): Found {
  const inside = (inner: unknown): Found => zodFound(inner, placeOf, depth + 1);
  const type = String(def['type']);
  switch (type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'default':
    case 'prefault':
      return inside(def['innerType']);
    case 'catch':
      return opaque(inside(def['innerType']), def['innerType']);
    case 'lazy':
      // Zod keeps what the getter gave.
      return inside(property(property(schema, '_zod'), 'innerType') ?? (def['getter'] as () => unknown)());
    case 'pipe':
      return ofPipe(def, inside);
    case 'transform':
      return opaque(shapes(UNKNOWN));
    case 'union':
      return either((def['options'] as unknown[]).map(inside));
    case 'intersection':
      return both(inside(def['left']), inside(def['right']));
    case 'object':
      return shapes(objectShape(def, placeOf));
    case 'record':
      return shapes({ type: 'record', others: placeOf(def['valueType']), keepsOthers: true });
    case 'map':
      return shapes(mapShape(def, placeOf));
    case 'array':
      return shapes({ type: 'array', rest: placeOf(def['element']) });
    case 'tuple': {
      const elements = (def['items'] as unknown[]).map((item) => placeOf(item));
      return shapes({ type: 'array', elements, rest: def['rest'] ? placeOf(def['rest']) : undefined });
    }
    case 'bigint':
      return shapes({ type: 'scalar', kind: 'bigint' });
    case 'date':
      return shapes({ type: 'scalar', kind: 'date' });
    case 'custom':
      return shapes(classShape(property(property(property(schema, '_zod'), 'bag'), 'Class')));
    case 'any':
    case 'unknown':
      return shapes(UNKNOWN);
    case 'undefined':
    case 'void':
    case 'null':
      return shapes();
    default:
      return shapes(IMPOSSIBLE.has(type) ? impossible(`z.${type}(), for which BSON has no type`) : SCALAR);
  }
}

/** What comes out is as the last part says; where that is a function, nobody knows. */
function ofPipe(def: Record<string, unknown>, inside: (schema: unknown) => Found): Found {
  const isFunction = (part: unknown): boolean => property(definitionOf(part), 'type') === 'transform';
  const { in: first, out: last } = def;
  const input = isFunction(first) ? undefined : first;
  return opaque(isFunction(last) ? shapes(UNKNOWN) : inside(last), input);
}

function objectShape(def: Record<string, unknown>, placeOf: PlaceOf): Shape {
  const shape = def['shape'] as Record<string, unknown>;
  const members = new Map<string, Place>();
  const literals = new Map<string, readonly unknown[]>();
  for (const key of Object.keys(shape)) {
    const member = shape[key];
    members.set(key, placeOf(member));
    const inner = definitionOf(member);
    if (property(inner, 'type') === 'literal') literals.set(key, property(inner, 'values') as unknown[]);
  }
  const { catchall } = def;
  const others = catchall === undefined ? undefined : placeOf(catchall);
  const refusesOthers = property(definitionOf(catchall), 'type') === 'never';
  return { type: 'object', members, literals, others, keepsOthers: others !== undefined, refusesOthers };
}

/** Types of keys that are no strings. */
const NO_STRINGS = new Set(['number', 'int', 'bigint', 'boolean', 'date', 'object', 'array', 'null', 'nan']);

function mapShape(def: Record<string, unknown>, placeOf: PlaceOf): Shape {
  const key = String(property(definitionOf(def['keyType']), 'type'));
  const problem = NO_STRINGS.has(key) ? 'a Map whose keys are no strings, as BSON’s are' : undefined;
  return { type: 'record', kind: 'map', others: placeOf(def['valueType']), keepsOthers: true, problem };
}
