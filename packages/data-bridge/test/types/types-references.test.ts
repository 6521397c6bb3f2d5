import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, type Ref, ref } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';

class InRecord extends model('r1', {
  m: z.record(
    z.string(),
    zref<InRecord>(() => InRecord),
  ),
}) {}
class InRecordLater extends model('r2', {
  m: z
    .record(
      z.string(),
      zref<InRecordLater>(() => InRecordLater),
    )
    .default({}),
}) {}
class InArray extends model('r3', { m: z.array(zref<InArray>(() => InArray)) }) {}
class InArrayLater extends model('r4', { m: z.array(zref<InArrayLater>(() => InArrayLater)).default([]) }) {}
class InTuple extends model('r5', { m: z.tuple([zref<InTuple>(() => InTuple), z.int()]) }) {}
class InUnion extends model('r6', {
  m: z.union([z.object({ k: z.literal('a'), r: zref<InUnion>(() => InUnion) }), z.object({ k: z.literal('b') })]),
}) {}
class Alone extends model('r7', { m: zref<Alone>(() => Alone).nullish() }) {}
class InMap extends model('r8', {
  m: z.map(
    z.string(),
    zref<InMap>(() => InMap),
  ),
}) {}
class InElements extends model('r9', { m: z.array(z.object({ r: zref<InElements>(() => InElements) })).default([]) }) {}
class Listed extends model('r10', { m: ref<Listed>(() => Listed).array() }) {}

describe('a model that refers to itself', () => {
  it('compiles, whatever the reference stands in', () => {
    expectTypeOf<InRecord['m']>().toEqualTypeOf<Record<string, Ref<InRecord>>>();
    expectTypeOf<InRecordLater['m']>().toEqualTypeOf<Record<string, Ref<InRecordLater>>>();
    expectTypeOf<InArray['m']>().toEqualTypeOf<Ref<InArray>[]>();
    expectTypeOf<InArrayLater['m']>().toEqualTypeOf<Ref<InArrayLater>[]>();
    expectTypeOf<InTuple['m']>().toEqualTypeOf<[Ref<InTuple>, number]>();
    expectTypeOf<InUnion['m']>().toEqualTypeOf<{ k: 'a'; r: Ref<InUnion> } | { k: 'b' }>();
    expectTypeOf<Alone['m']>().toEqualTypeOf<Ref<Alone> | null | undefined>();
    expectTypeOf<InMap['m']>().toEqualTypeOf<Map<string, Ref<InMap>>>();
    expectTypeOf<InElements['m']>().toEqualTypeOf<{ r: Ref<InElements> }[]>();
    expectTypeOf<Listed['m']>().toEqualTypeOf<Ref<Listed>[]>();
    const deep = async () => {
      const [item] = await InRecord.find().with('m.m');
      return item?.m['a']?.$doc?.m['b']?.$doc;
    };
    expectTypeOf<Awaited<ReturnType<typeof deep>>>().toExtend<InRecord | null | undefined>();
    const item = new InArray({ m: [] });
    item.m.push(item);
    expect(item.m[0]?.$id).toEqual(item._id);
  });
});
