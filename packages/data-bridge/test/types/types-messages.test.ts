import { describe, expect, it } from 'vitest';
import { program } from '../support/type-models.ts';
import { compile } from '../support/type-program.ts';

/** Wrong lines, and what their messages are to name. */
const WRONG: readonly (readonly [line: string, named: RegExp])[] = [
  ["Model0.find({ txet0: 'x' });", /'txet0' does not exist in type 'Filter<Model0>'/],
  ['Model0.find({ items: { $elemMatch: { qty: 1 } } });', /'qty' does not exist in type/],
  ["Model0.updateOne({}, { $set: { txet0: 'x' } });", /'txet0' does not exist in type 'Values<Model0>'/],
  ['Model0.updateOne({}, { $inc: { text0: 1 } });', /"this operator needs a field of numbers"/],
  ["Model0.updateOne({}, { $unset: { text0: '' } });", /"the schema asks for this value, so it cannot be removed"/],
  ["found[0]!.unset('address.city');", /"the schema asks for this value, so it cannot be removed"/],
  ["found[0]!.unset('txet0');", /"number0"/],
  ["found[0]!.$inc('text0');", /parameter of type '"address.geo.lat" \| "address.geo.lon" \| "number0"/],
  ["found[0]!.$push('text0', 'x');", /parameter of type '"friends" \| "items" \| "tags"'/],
  ["found[0]!.set('adress.city', 'x');", /"address.city"/],
  ["Model0.find().select('txet0');", /"address.city"/],
  ["Model0.aggregate().group({ _id: '$role', n: { $sum: '$scor' } });", /"\$scor"/],
  ["Model0.aggregate().project({ a: { city: '$adress.city' } });", /"\$adress.city".*NoSuchField<.*"\$address.city"/s],
  ["Model0.aggregate().addFields({ t: { $concat: ['$txet0', 'x'] } });", /"\$txet0".*NoSuchField</s],
  ["Model0.aggregate().group({ _id: null, n: { $sum: { $multiply: ['$scor', 2] } } });", /"\$scor"/],
  ["Model0.aggregate().project({ n: { $cond: [{ $gt: ['$scor', 1] }, 1, 0] } });", /"\$scor"/],
  ["Model0.aggregate().project({ city: '$adress.city' });", /Did you mean '"\$address.city"'/],
  ['const lean: number = (await Model0.find().lean())[0]!;', /readonly _id: ObjectId/],
  ['const plain: number = found[0]!.toObject();', /readonly _id: ObjectId/],
  ["const part: number = (await Model0.find().select('text0'))[0]!;", /text0: string/],
  ["Model0.find().with('ownr');", /parameter of type '"friends" \| "owner"'/],
  ["Model0.find().with('owner', 'frends');", /parameter of type '"friends" \| "owner"'/],
  ["Model0.aggregate().unwind('tgas');", /parameter of type '"friends" \| "items" \| "tags"'/],
  [
    "const rows: number = await Model0.aggregate().project({ city: '$address.city' });",
    /Type '\{ _id: ObjectId; city: string; \}\[\]'/,
  ],
  ['const place: number = found[0]!.toObject().address.geo.lat.x;', /'x' does not exist on type 'number'/],
  [
    'const address: number = [found[0]!.toObject().address];',
    /\{ city: string; zip: string; geo: \{ lat: number; lon: number; \}; \}\[\]/,
  ],
  [
    "model('x', { a: z.string() }, { indexes: [{ key: { a: 1 } }, { key: { b: 1 } }] });",
    /'1 & Wrong<"the schema has no field \\"b\\"">'/,
  ],
  [
    "model('x', { a: z.string() }, { indexes: [{ key: { a: 1 }, uniqe: true }] });",
    /'true & Wrong<"no index has this option">'/,
  ],
  ["Model0.create({ text0: 'x' });", /is missing the following properties from type '\{/],
];

describe('the messages of the types', () => {
  it('name fields, and not the schemas that they come from', async () => {
    const lines = WRONG.map(([line]) => `{ ${line} }`);
    const { errors } = await compile(program('data-bridge', 2, lines.join('\n')), { whole: true });
    const first = Math.min(...errors.map(lineOf));
    for (const [index, [, named]] of WRONG.entries()) {
      const told = errors.filter((error) => lineOf(error) === first + index).join('\n');
      expect(told).toMatch(named);
      expect(told).not.toMatch(/Zod|Declared|excessively deep/);
    }
  }, 60_000);
});

const lineOf = (error: string): number => Number(/model-0\.ts\((\d+),/.exec(error)?.[1]);
