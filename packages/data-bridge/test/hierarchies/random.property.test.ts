import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { model, ref } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/* A random program over a hierarchy gives what the same does to a list in memory, where each document knows its class. */

class A extends model('letters', { n: z.int() }, { type: 'a' }) {}
class B extends A.extend({ b: z.int() }, { type: 'b', class: () => B }) {}
class C extends B.extend({ c: z.int() }, { type: 'c', class: () => C }) {}
class D extends A.extend({ d: z.int() }, { type: 'd', class: () => D }) {}

type Name = 'a' | 'b' | 'c' | 'd';
const CLASSES: Readonly<Record<Name, typeof A>> = { a: A, b: B as never, c: C as never, d: D as never };
const BELOW: Readonly<Record<Name, string>> = { a: 'abcd', b: 'bc', c: 'c', d: 'd' };

interface Letter {
  readonly type: Name;
  n: number;
}

const database = useDatabase();

const name = fc.constantFrom<Name>('a', 'b', 'c', 'd');
const number = fc.integer({ min: 0, max: 3 });
const step = fc.record({
  what: fc.constantFrom('insert', 'update', 'delete', 'upsert', 'save', 'replace', 'bulk'),
  of: name,
  n: number,
  to: number,
});

const fields = (type: Name, n: number): never =>
  ({
    n,
    ...(BELOW.b.includes(type) && { b: 1 }),
    ...(type === 'c' && { c: 1 }),
    ...(type === 'd' && { d: 1 }),
  }) as never;

it('equals what it does to a list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await database.db.collection('letters').deleteMany({});
      let letters: Letter[] = [];
      for (const { what, of, n, to } of steps) {
        const Class = CLASSES[of];
        const meant = letters.filter((each) => BELOW[of].includes(each.type) && each.n === n);
        if (what === 'insert') {
          await A.insertMany([new Class(fields(of, n))]);
          letters.push({ type: of, n });
        } else if (what === 'update' || what === 'bulk') {
          if (what === 'update') await Class.updateMany({ n }, { $set: { n: to } });
          else
            await Class.bulk()
              .updateMany({ n }, { $set: { n: to } })
              .execute();
          for (const each of meant) each.n = to;
        } else if (what === 'delete') {
          expect((await Class.deleteMany({ n })).deletedCount).toBe(meant.length);
          letters = letters.filter((each) => !meant.includes(each));
        } else if (what === 'upsert') {
          if (meant.length > 1) continue;
          await Class.upsert({ n }, { $set: { ...(fields(of, to) as object) } });
          if (meant[0] === undefined) letters.push({ type: of, n: to });
          else meant[0].n = to;
        } else if (what === 'save') {
          const found = await Class.find({ n });
          for (const each of found) each.n = to;
          await Class.saveAll(found);
          for (const each of meant) each.n = to;
        } else {
          const exact = meant.filter(({ type }) => type === of);
          if (exact.length > 1) continue;
          await Class.replaceOne({ n }, fields(of, to));
          for (const each of exact) each.n = to;
        }
      }
      const text = (all: readonly { readonly n: number; readonly type: string }[]): string[] =>
        all.map(({ n, type }) => `${type}${n}`).toSorted();
      const typeOf = (document: A): Name =>
        (Object.keys(CLASSES) as Name[]).find((each) => document.constructor === CLASSES[each]) as Name;
      for (const of of Object.keys(CLASSES) as Name[]) {
        const found = await CLASSES[of].find();
        expect(text(found.map((each) => ({ n: each.n, type: typeOf(each) })))).toEqual(
          text(letters.filter(({ type }) => BELOW[of].includes(type))),
        );
        expect(await A.find().exactly(CLASSES[of]).count()).toBe(letters.filter(({ type }) => type === of).length);
      }
    }),
    runs(100),
  );
});

class Node extends model('nodes', { n: z.int(), next: ref<Node>(() => Node).optional() }) {}
class Red extends Node.extend(
  { reds: ref<Red>(() => Red).array(), any: ref<Node>(() => Node).optional() },
  { type: 'red', class: () => Red },
) {}
class Dark extends Red.extend({}, { type: 'dark', class: () => Dark }) {}

it('with() gives what joining by hand gives, each as one of its class', async () => {
  const place = fc.nat({ max: 5 });
  const node = fc.record({
    kind: fc.nat({ max: 2 }),
    next: fc.option(place),
    any: fc.option(place),
    reds: fc.array(place, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(node, { minLength: 6, maxLength: 6 }), async (graph) => {
      await database.db.collection('nodes').deleteMany({});
      const classes = [Node, Red, Dark] as const;
      const made = graph.map(
        ({ kind }, n) => new (classes[kind] as typeof Node)(kind === 0 ? { n } : ({ n, reds: [] } as never)),
      );
      const isRed = (at: number): boolean => made[at] instanceof Red;
      for (const [at, { next, any, reds }] of graph.entries()) {
        const document = made[at] as Node;
        if (next !== null) document.next = made[next] as Node;
        if (!(document instanceof Red)) continue;
        if (any !== null) document.any = made[any] as Node;
        document.reds = reds.filter(isRed).map((each) => made[each] as Red);
      }
      await Node.saveAll(made);
      const nextOf = (at: number): number | undefined => graph[at]?.next ?? undefined;
      for (const each of await Node.find().with('next.next')) {
        const next = nextOf(each.n);
        expect(each.next?.$doc?.n).toBe(next);
        expect(each.next?.$doc?.constructor).toBe(next === undefined ? undefined : made[next]?.constructor);
        expect(each.next?.$doc?.next?.$doc?.n).toBe(next === undefined ? undefined : nextOf(next));
      }
      for (const red of await Red.find().with('any.next', 'reds.any')) {
        const { any, reds = [] } = graph[red.n] ?? {};
        expect(red.any?.$doc?.n).toBe(any ?? undefined);
        expect(red.any?.$doc?.next?.$doc?.n).toBe(typeof any === 'number' ? nextOf(any) : undefined);
        expect(red.reds.map(({ $doc }) => $doc?.n)).toEqual(reds.filter(isRed));
        expect(red.reds.every(({ $doc }) => $doc?.constructor === made[$doc?.n as number]?.constructor)).toBe(true);
        expect(red.isModified()).toBe(false);
      }
    }),
    runs(60),
  );
});
