import { copyValue } from '../bson/copy.ts';
import { classShape } from './class-shape.ts';
import { property } from './schema-library.ts';
import {
  either,
  type Found,
  impossible,
  opaque,
  type Place,
  type PlaceOf,
  SCALAR,
  type Shape,
  shapes,
  UNKNOWN,
} from './schema-shape.ts';

const IMPOSSIBLE: ReadonlyMap<unknown, string> = new Map([['symbol', 'symbols, for which BSON has no type']]);

/** What an ArkType schema tells of its values: it is made of nodes, of which `internal` is the first. https://arktype.io */
export function arktypeFound(schema: unknown, placeOf: PlaceOf): Found {
  return ofNode(property(schema, 'internal') ?? schema, placeOf);
}

function ofNode(node: unknown, placeOf: PlaceOf): Found {
  const kind = property(node, 'kind');
  if (kind === 'morph') return opaque(shapes(UNKNOWN), property(property(node, 'inner'), 'in'));
  if (kind === 'union') return either((property(node, 'branches') as unknown[]).map((each) => ofNode(each, placeOf)));
  if (kind === 'alias') return ofNode(property(node, 'resolution'), placeOf);
  if (kind === 'unit') {
    const unit = property(node, 'unit');
    return unit === null || unit === undefined ? shapes() : shapes(SCALAR);
  }
  const structure = property(node, 'structure');
  const proto = property(node, 'proto') ?? property(property(node, 'basis'), 'proto');
  if (typeof proto === 'function' && proto !== Array) return shapes(ofClass(proto));
  if (structure !== undefined) return shapes(ofStructure(structure, placeOf));
  if (proto === Array) return shapes({ type: 'array' });
  const domain = property(node, 'domain') ?? property(property(node, 'basis'), 'domain');
  if (domain === 'bigint') return shapes({ type: 'scalar', kind: 'bigint' });
  const problem = IMPOSSIBLE.get(domain);
  if (problem !== undefined) return shapes(impossible(problem));
  return shapes(domain === undefined || domain === 'object' ? UNKNOWN : SCALAR);
}

function ofClass(proto: unknown): Shape {
  return proto === Date ? { type: 'scalar', kind: 'date' } : classShape(proto);
}

function ofStructure(structure: unknown, placeOf: PlaceOf): Shape {
  const sequence = property(structure, 'sequence');
  if (sequence !== undefined) return ofSequence(sequence, placeOf);
  const props = (property(structure, 'propsByKey') ?? {}) as Record<string, unknown>;
  const members = new Map<string, Place>();
  const literals = new Map<string, readonly unknown[]>();
  for (const key of Object.keys(props)) {
    const prop = props[key];
    const value = property(prop, 'value');
    members.set(key, placeOf(value, defaultOf(prop)));
    const units = unitsOf(value);
    if (units !== undefined) literals.set(key, units);
  }
  const index = property(structure, 'index') as readonly unknown[] | undefined;
  const first = index?.[0];
  const others = first === undefined ? undefined : placeOf(property(first, 'value'));
  if (members.size === 0 && others !== undefined) return { type: 'record', others, keepsOthers: true };
  const undeclared = property(structure, 'undeclared');
  // Its default is to keep what is not named.
  const keepsOthers = undeclared !== 'delete';
  return { type: 'object', members, literals, others, keepsOthers, refusesOthers: undeclared === 'reject' };
}

function ofSequence(sequence: unknown, placeOf: PlaceOf): Shape {
  const variadic = property(sequence, 'variadic');
  const named = [property(sequence, 'prefix'), property(sequence, 'optionals'), property(sequence, 'defaultables')];
  // What follows the variadic part has no fixed place.
  if (variadic !== undefined && property(sequence, 'postfix') !== undefined) return { type: 'array' };
  const elements = named.flatMap((each) => (Array.isArray(each) ? each : []) as unknown[]);
  return {
    type: 'array',
    elements: elements.map((element) => placeOf(Array.isArray(element) ? element[0] : element)),
    rest: variadic === undefined ? undefined : placeOf(variadic),
  };
}

function unitsOf(value: unknown): readonly unknown[] | undefined {
  if (property(value, 'kind') === 'unit') return [property(value, 'unit')];
  const branches = property(value, 'branches');
  if (property(value, 'kind') !== 'union' || !Array.isArray(branches)) return undefined;
  return branches.every((each) => property(each, 'kind') === 'unit')
    ? branches.map((each) => property(each, 'unit'))
    : undefined;
}

/** The object around a member has its default: the member's own schema does not know. */
function defaultOf(prop: unknown): () => unknown {
  const hasDefault = property(prop, 'hasDefault');
  if (typeof hasDefault !== 'function' || hasDefault.call(prop) !== true) return noDefault;
  const given = property(prop, 'default');
  return () => copyValue(typeof given === 'function' ? (given as () => unknown)() : given);
}

function noDefault(): undefined {
  return undefined;
}
