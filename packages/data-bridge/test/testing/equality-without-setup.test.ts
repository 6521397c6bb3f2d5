import assert from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import { expect as chai } from 'chai';
import { expect as jest } from 'expect';
import { Decimal128, Double, Int32, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { IS_DEEP } from '../../../../scripts/case-count.ts';
import { binary, decimal, hidden, model, objectId, stored } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { useOwnEqualityTesters } from '../support/equality-testers.ts';

class User extends model(
  'users',
  {
    name: z.string(),
    age: z.number().optional(),
    tags: z.array(z.string()).default([]),
    address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
    born: z.date().optional(),
    balance: decimal().optional(),
    friend: objectId().optional(),
    photo: binary().optional(),
    any: z.any(),
    minimum: stored('min', z.number().optional()),
    hash: hidden(stored('pw', z.string().optional())),
  },
  { timestamps: true },
) {}

class Other extends model('others', { name: z.string(), tags: z.array(z.string()).default([]) }) {}

class Recorded extends model('recorded', { name: z.string() }, { history: true }) {}

useOwnEqualityTesters();

/** Node.js has it from 22 on. */
const { partialDeepStrictEqual } = assert as { partialDeepStrictEqual?: (a: unknown, b: unknown) => void };

/** The comparisons of each library, which throw where two values are not equal to it. */
const comparisons: Readonly<Record<string, (a: unknown, b: unknown) => void>> = {
  'toEqual of vitest': (a, b) => expect(a).toEqual(b),
  'toStrictEqual of vitest': (a, b) => expect(a).toStrictEqual(b),
  'toContainEqual of vitest': (a, b) => expect([a]).toContainEqual(b),
  'toEqual of jest': (a, b) => jest(a).toEqual(b),
  'toStrictEqual of jest': (a, b) => jest(a).toStrictEqual(b),
  'toContainEqual of jest': (a, b) => jest([a]).toContainEqual(b),
  'assert.deepStrictEqual': (a, b) => assert.deepStrictEqual(a, b),
  'assert.deepEqual': (a, b) => assert.deepEqual(a, b),
  ...(partialDeepStrictEqual && { 'assert.partialDeepStrictEqual': (a, b) => partialDeepStrictEqual(a, b) }),
  'deep.equal of chai': (a, b) => chai(a).to.deep.equal(b),
};

/** The values around two that are compared. */
const AROUND: readonly ((x: unknown) => unknown)[] = [(x) => [x], (x) => ({ u: { x } }), (x) => new Map([['x', x]])];

/** What those around two that differ come to is long messages, which no one reads. */
const AROUND_DIFFERENT = IS_DEEP ? AROUND : AROUND.slice(0, 1);

/** The names of the comparisons to which two values are equal, alone and within others. */
function equalTo(a: unknown, b: unknown, within = AROUND): string[] {
  const isEqual = (compare: (a: unknown, b: unknown) => void, left: unknown, right: unknown): boolean => {
    try {
      compare(left, right);
      return true;
    } catch (error) {
      // Whatever else is thrown is a fault.
      if ((error as Error).name !== 'AssertionError' && !('matcherResult' in (error as object))) throw error;
      return false;
    }
  };
  return Object.entries(comparisons).flatMap(([name, compare]) => {
    const alone = isEqual(compare, a, b);
    for (const around of within) {
      // To this one all Maps are equal.
      if (name.startsWith('toContainEqual') && around(0) instanceof Map) continue;
      assert.equal(isEqual(compare, around(a), around(b)), alone, `${name}: inside ${inspect(around(0))}`);
    }
    return alone ? [name] : [];
  });
}

const all = Object.keys(comparisons);
const _id = new ObjectId();
const fields = () => ({
  _id,
  name: 'Ann',
  age: 30,
  tags: ['a'],
  address: { city: 'Rome', zip: '1' },
  born: new Date(5),
  balance: Decimal128.fromString('1.0'),
  friend: ObjectId.createFromTime(5),
  photo: new Uint8Array([1, 2]),
  any: { deep: [{ x: 1 }, { x: 2 }] } as unknown,
  minimum: 1,
});
const ann = (changes: object = {}): User => new User({ ...fields(), ...changes });

describe('Documents compared without any set-up', () => {
  it('are equal where all of their fields are', () => {
    expect(equalTo(ann(), ann())).toEqual(all);
    expect(equalTo(ann({ address: { zip: '1', city: 'Rome' } }), ann())).toEqual(all);
    expect(equalTo(ann({ age: undefined }), ann({ age: undefined }))).toEqual(all);
    expect(isDeepStrictEqual(ann(), ann())).toBe(true);
  });

  it.each<[string, object]>([
    ['a text', { name: 'Bob' }],
    ['a number', { age: 31 }],
    ['the sign of zero', { age: -0 }],
    ['a field that is absent', { age: undefined }],
    ['a field that is null', { any: null }],
    ['the id', { _id: new ObjectId() }],
    ['an element', { tags: ['b'] }],
    ['a hidden field', { hash: 'x' }],
    ['the order of elements', { any: { deep: [{ x: 2 }, { x: 1 }] } }],
    ['a member', { address: { city: 'Rome', zip: '2' } }],
    ['a member that is absent', { address: { city: 'Rome' } }],
    ['a date', { born: new Date(6) }],
    ['a decimal', { balance: Decimal128.fromString('1.1') }],
    ['another id', { friend: ObjectId.createFromTime(6) }],
    ['bytes', { photo: new Uint8Array([1, 3]) }],
    ['a field of another stored name', { minimum: 2 }],
    ['the type of a value', { any: '1' }],
    ['a value deep inside', { any: { deep: [{ x: 2 }] } }],
  ])('are not equal where %s differs', (_what, changes) => {
    const basis = 'age' in changes && Object.is(changes.age, -0) ? { age: 0 } : {};
    expect(equalTo(ann(basis), ann(changes), AROUND_DIFFERENT)).toEqual([]);
    expect(equalTo(ann(changes), ann(basis), [])).toEqual([]);
    expect(isDeepStrictEqual(ann(basis), ann(changes))).toBe(false);
  });

  it('see what was changed in place, and a change that was taken back', () => {
    const user = ann();
    user.tags.push('b');
    expect(equalTo(user, ann())).toEqual([]);
    user.tags.pop();
    expect(equalTo(user, ann())).toEqual(all);
  });

  it('are unequal to plain objects, whatever these hold', () => {
    expect(equalTo(ann(), ann().toObject())).toEqual([]);
    expect(equalTo(ann().toObject(), ann())).toEqual([]);
    expect(equalTo(ann(), {})).toEqual([]);
    expect(() => assert.deepStrictEqual([ann()], [null])).toThrow(assert.AssertionError);
  });

  it('of two models with the same fields are equal to what does not look at classes', () => {
    class Same extends model('same', { name: z.string(), tags: z.array(z.string()).default([]) }) {}
    const [other, same] = [new Other({ _id, name: 'Ann' }), new Same({ _id, name: 'Ann' })];
    expect(equalTo(other, same).filter((name) => /toStrict|deepStrict/.test(name))).toEqual([]);
    expect(equalTo(other, same)).toContain('toEqual of vitest');
  });

  it('may hold what BSON cannot, before they are validated', () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle['self'] = cycle;
    const copy: Record<string, unknown> = { a: 1 };
    copy['self'] = copy;
    expect(equalTo(ann({ any: cycle }), ann({ any: copy }))).toEqual(all);
    const call = (): void => {};
    expect(() => expect(ann({ any: call })).toEqual(ann({ any: call }))).not.toThrow();
    expect(() => expect(ann({ any: call })).toEqual(ann({ any: () => {} }))).toThrow('deeply equal');
    expect(() => expect(ann({ any: new URL('a:b') })).toEqual(ann({ any: new URL('a:c') }))).toThrow('deeply equal');
  });

  it('compare numbers by value', () => {
    expect(equalTo(ann({ age: new Int32(30) }), ann({ age: new Double(30) }))).toEqual(all);
    expect(() => expect(ann({ any: 5n })).toEqual(ann({ any: 5 }))).not.toThrow();
  });
});

describe('Documents of a database compared without any set-up', () => {
  useDatabase();

  it('are equal whether they were made or read, changed or saved', async () => {
    const made = await User.create({ ...fields(), name: 'made' });
    expect(equalTo(await User.findById(_id), made)).toEqual(all);
    const changed = (await User.findById(_id))!;
    changed.address!.city = 'Oslo';
    expect(equalTo(changed, made)).toEqual([]);
    await changed.save();
    expect(equalTo(await User.findById(_id), changed)).toEqual(all);
    expect(changed.isModified()).toBe(false);
  });

  it('are compared by what was loaded of them', async () => {
    const user = await User.create({ name: 'part', age: 1 });
    const part = (name: 'name' | 'age') => User.find({ _id: user._id }).select(name).one();
    for (const compare of ['toEqual of vitest', 'toStrictEqual of vitest', 'assert.deepStrictEqual', 'toEqual of jest'])
      expect(() => comparisons[compare]!([part], [part])).not.toThrow();
    const [first, again, otherPart] = [await part('name'), await part('name'), await part('age')];
    expect(first).toEqual(again);
    expect(first).not.toEqual(otherPart);
    expect(first).not.toEqual(user);
    assert.deepStrictEqual(first, again);
    assert.notDeepStrictEqual(first, user);
    expect(() => expect(first).toEqual(user)).toThrow(/to deeply equal/);
    expect(() => expect(first).toMatchObject({ name: 'x' })).toThrow(/to match object/);
  });

  it('do not count what numbers the writes of a history', async () => {
    const made = await Recorded.create({ name: 'Ann' });
    made.name = 'Bob';
    await made.save();
    expect(made).toEqual(Recorded.hydrate({ _id: made._id, name: 'Bob' }));
  });
});

describe('The tag of documents', () => {
  it('holds no value, and is read without touching the document', () => {
    const user = User.hydrate({ _id, name: 'Ann', secret: 'hunter2', tags: ['hunter2'] });
    expect(Object.prototype.toString.call(user)).toMatch(/^\[object Document [\w-]{22}\]$/);
    expect(user.isModified()).toBe(false);
    expect(user.$state.toUpdate()).toBe(null);
  });

  it('is not in what logs and JSON show', () => {
    const shown = inspect(new Other({ _id, name: 'Ann' }), { breakLength: Infinity });
    expect(shown).toBe(`Other { _id: new ObjectId('${_id.toHexString()}'), name: 'Ann', tags: [] }`);
    expect(JSON.stringify(new Other({ _id, name: 'Ann' }))).toBe(
      `{"_id":"${_id.toHexString()}","name":"Ann","tags":[]}`,
    );
  });

  it('fails nobody who asks what a prototype, a copy of one, or a damaged document is', () => {
    expect(Object.prototype.toString.call(User.prototype)).toMatch(/^\[object Document \d+\]$/);
    expect(Object.prototype.toString.call(Object.create(User.prototype))).toMatch(/^\[object Document \d+\]$/);
    const bytes = ann().$clone().$bytes ?? new Uint8Array([12, 0, 0, 0, 2, 97, 0, 9, 0, 0, 0, 0]);
    const [damaged, same] = [User.hydrate(bytes), User.hydrate(bytes)];
    expect(() => damaged.toObject()).toThrow('not valid BSON');
    expect(damaged).not.toEqual(same);
  });
});

describe('console.log of a document', () => {
  it('works where who shows it does not say how values are shown', () => {
    const other = new Other({ _id, name: 'Ann' }) as object as Record<
      symbol,
      (depth: number, options: object) => string
    >;
    expect(other[Symbol.for('nodejs.util.inspect.custom')]?.(2, {})).toMatch(/^Other \{.*'Ann'/s);
  });
});

describe('toMatchObject without any set-up', () => {
  it.each([
    ['vitest', expect],
    ['jest', jest as never],
  ])('of %s compares fields of a document, and says how they differ', (_name, check: typeof expect) => {
    check(ann()).toMatchObject({ name: 'Ann', address: { city: 'Rome' } });
    check({ users: [ann()] }).toMatchObject({ users: [{ name: 'Ann' }] });
    for (const wrong of [{ name: 'Bob' }, { address: { city: 'Oslo' } }, { tags: [] }, { missing: 1 }])
      expect(() => check(ann()).toMatchObject(wrong)).toThrow(/match object|toMatchObject/);
    // The limit that the guide tells: runners ask for own properties of the expected value alone.
    check(ann()).toMatchObject(ann({ name: 'Bob' }));
  });
});
