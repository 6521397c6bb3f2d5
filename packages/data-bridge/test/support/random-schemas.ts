import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import type { Loose } from './loose-models.ts';

/*
 * Random schemas, values that fit them, and edits, for the laws of transforms: each value that the program gave is
 * transformed once, each stored one never. The program's texts begin with P, stored ones with S, and a hash has a salt, so
 * that a second one shows.
 */

/** A number from 0 to 1, from a seed. */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

let tokens = 0;
let salt = 0;
/** How often each text was hashed and the outcome taken is told by what is stored; this counts the texts. */
const hash = (text: string): string => `H${salt++}(${text})`;
const token = (isStored: boolean): string => `${isStored ? 'S' : 'P'}${tokens++}`;

export interface RandomSchema {
  readonly name: string;
  readonly kind: 'leaf' | 'object' | 'array' | 'record';
  readonly zod: Loose;
  readonly valibot: Loose;
  readonly arktype: Loose;
  readonly members?: Readonly<Record<string, RandomSchema>>;
  readonly element?: RandomSchema;
  /** A value, as it is stored or as the program would give it; undefined for none. */
  make(random: Random, isStored: boolean): unknown;
}

const LEAVES: readonly (() => RandomSchema)[] = [
  () => ({
    name: 'hash',
    kind: 'leaf',
    zod: z.string().transform(hash),
    valibot: v.pipe(v.string(), v.transform(hash)),
    arktype: type('string').pipe(hash),
    make: (_, isStored) => token(isStored),
  }),
  () => ({
    name: 'trim',
    kind: 'leaf',
    zod: z.string().trim(),
    valibot: v.pipe(v.string(), v.trim()),
    arktype: type('string').pipe((text) => text.trim()),
    make: (_, isStored) => ` ${token(isStored)} `,
  }),
  () => ({
    name: 'int',
    kind: 'leaf',
    zod: z.int(),
    valibot: v.pipe(v.number(), v.integer()),
    arktype: type('number'),
    make: () => tokens++,
  }),
  () => ({
    name: 'default',
    kind: 'leaf',
    zod: z.string().default('D'),
    valibot: v.optional(v.string(), 'D'),
    arktype: 'string',
    make: (random, isStored) => (random() < 0.4 ? undefined : token(isStored)),
  }),
  () => ({
    name: 'date',
    kind: 'leaf',
    zod: z.date(),
    valibot: v.date(),
    arktype: type('Date'),
    make: () => new Date(1e12 + tokens++),
  }),
];

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

export function randomSchema(random: Random, depth = 3): RandomSchema {
  const roll = random();
  if (depth === 0 || roll < 0.35) return pick(random, LEAVES)();
  if (roll < 0.65) return randomObject(random, depth);
  const element = randomSchema(random, depth - 1);
  const ofElement = arktypeOf(element);
  if (roll >= 0.9) {
    return {
      name: `R<${element.name}>`,
      kind: 'record',
      zod: z.record(z.string(), element.zod),
      valibot: v.record(v.string(), element.valibot),
      arktype: type({ '[string]': ofElement } as never),
      element,
      make: (r, isStored) =>
        Object.fromEntries(
          ['k', 'm'].slice(Math.floor(r() * 3)).map((key) => [key, element.make(r, isStored) ?? token(isStored)]),
        ),
    };
  }
  const isPlain = random() < 0.7;
  const array = z.array(element.zod);
  return {
    name: `[${element.name}]${isPlain ? '' : 'T'}`,
    kind: 'array',
    zod: isPlain ? array : array.transform((all) => [...all]),
    valibot: isPlain
      ? v.array(element.valibot)
      : v.pipe(
          v.array(element.valibot),
          v.transform((all) => [...all]),
        ),
    arktype: type(ofElement as never).array(),
    element,
    make: (r, isStored) =>
      Array.from({ length: Math.floor(r() * 4) }, () => element.make(r, isStored) ?? token(isStored)),
  };
}

const arktypeOf = ({ arktype }: RandomSchema): Loose => arktype;

function randomObject(random: Random, depth: number): RandomSchema {
  const keys = ['a', 'b', 'c'].slice(0, 1 + Math.floor(random() * 3));
  const members = Object.fromEntries(keys.map((key) => [key, randomSchema(random, depth - 1)]));
  const of = (library: 'zod' | 'valibot'): Loose =>
    Object.fromEntries(Object.entries(members).map(([key, member]) => [key, member[library] as unknown]));
  const arktype = Object.fromEntries(
    Object.entries(members).map(([key, member]) => [
      key,
      member.name === 'default' ? "string = 'D'" : (arktypeOf(member) as unknown),
    ]),
  );
  const shape = pick(random, ['strip', 'strip', 'strip', 'loose', 'transform'] as const);
  const [zod, valibot] = [of('zod'), of('valibot')];
  return {
    name: `{${keys.map((key) => `${key}:${members[key]?.name}`).join()}}${shape}`,
    kind: 'object',
    zod:
      shape === 'strip'
        ? z.object(zod)
        : shape === 'loose'
          ? z.looseObject(zod)
          : z.object(zod).transform((object) => ({ ...object })),
    valibot:
      shape === 'strip'
        ? v.object(valibot)
        : shape === 'loose'
          ? v.looseObject(valibot)
          : v.pipe(
              v.object(valibot),
              v.transform((object) => ({ ...object })),
            ),
    arktype: type((shape === 'loose' ? arktype : { ...arktype, '+': 'delete' }) as never),
    members,
    make: (r, isStored) => {
      const object: Record<string, unknown> = {};
      for (const key of keys) {
        const member = members[key]?.make(r, isStored);
        if (member !== undefined) object[key] = member;
      }
      if (isStored && r() < 0.5) object['legacy'] = { x: token(true) };
      return object;
    },
  };
}

// ── edits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Changes a value in place, or gives another one in its place. */
export function editOf(random: Random, schema: RandomSchema, value: Loose, log: string[]): unknown {
  const { kind, members, element } = schema;
  if (value === undefined || value === null || kind === 'leaf' || random() < 0.12) {
    log.push(`set ${schema.name}`);
    return schema.make(random, false) ?? (schema.name === 'default' ? token(false) : undefined);
  }
  if (kind === 'object') {
    const key = pick(random, Object.keys(members ?? {}));
    const member = members?.[key] as RandomSchema;
    if (value[key] === undefined && member.kind !== 'leaf') return value;
    log.push(`.${key}`);
    const next = editOf(random, member, value[key], log);
    if (next !== undefined) value[key] = next;
    if (random() >= 0.15) return value;
    log.push('spread');
    return { ...value };
  }
  if (kind === 'record') return editRecord(random, element as RandomSchema, value, log);
  return editArray(random, element as RandomSchema, value, log);
}

function editRecord(random: Random, element: RandomSchema, value: Loose, log: string[]): unknown {
  const key = pick(random, ['k', 'm', 'n']);
  if (random() < 0.2) {
    log.push(`delete ${key}`);
    delete value[key];
    return value;
  }
  log.push(`<${key}>`);
  const next = value[key] === undefined ? element.make(random, false) : editOf(random, element, value[key], log);
  if (next !== undefined) value[key] = next;
  return value;
}

function editArray(random: Random, element: RandomSchema, value: Loose, log: string[]): unknown {
  const roll = random();
  const place = Math.floor(random() * value.length);
  const fresh = (): unknown => element.make(random, false) ?? token(false);
  if (roll < 0.25 || value.length === 0) {
    log.push('push');
    value.push(fresh());
  } else if (roll < 0.4) {
    log.push('unshift');
    value.unshift(fresh());
  } else if (roll < 0.55) {
    log.push(`remove ${place}`);
    value.splice(place, 1);
  } else if (roll < 0.65) {
    log.push('reverse');
    value.reverse();
  } else {
    log.push(`[${place}]`);
    const next = editOf(random, element, value[place], log);
    if (next !== undefined) value[place] = next;
  }
  return value;
}

// ── what is right ───────────────────────────────────────────────────────────────────────────────────────────────────

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** What the program left in memory, with each text of the program transformed once. */
export function transformedOnce(schema: RandomSchema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => transformedOnce(schema?.element, each));
  if (isPlain(value)) {
    const inside = (key: string): RandomSchema | undefined => schema?.members?.[key] ?? schema?.element;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, transformedOnce(inside(key), each)]));
  }
  if (typeof value !== 'string' || !/^ ?P/.test(value)) return value;
  return schema?.name === 'hash' ? `H(${value})` : value.trim();
}

export function withoutSalt(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/H\d+\(/g, 'H(');
  if (Array.isArray(value)) return value.map(withoutSalt);
  return isPlain(value) ? mapped(value, withoutSalt) : value;
}

function mapped(value: Record<string, unknown>, map: (each: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each)]));
}

/** Without the defaults that were added inside of what is new. */
export function withoutDefaults(schema: RandomSchema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutDefaults(schema?.element, each));
  if (!isPlain(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, each]) => !(each === 'D' && schema?.members?.[key]?.name === 'default'),
  );
  return Object.fromEntries(
    kept.map(([key, each]) => [key, withoutDefaults(schema?.members?.[key] ?? schema?.element, each)]),
  );
}
