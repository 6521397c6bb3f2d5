import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { encodeDocument } from '../../src/bson/encode.ts';
import { ruleOf } from '../../src/edits/atomic-operators.ts';
import { exact, serverNames, useStore } from '../support/laws-store.ts';
import { askForFault } from '../support/known-faults.ts';

const { stored, expression, single, operator } = ruleOf('$bit');
const min = -(1n << 63n);
const edges = [0n, 1n, -1n, 1n << 31n, -(1n << 31n), 1n << 62n, -(1n << 62n), min, -(min + 1n)];
const long = fc
  .oneof(fc.bigInt({ min, max: -(min + 1n) }), fc.constantFrom(...edges))
  .map((value) => BSON.Long.fromBigInt(value));
const integer = fc.oneof(fc.integer(), long, fc.integer({ min: -9, max: 9 }));
const operation = fc
  .array(fc.tuple(fc.constantFrom('and', 'or', 'xor'), integer), { minLength: 1, maxLength: 3 })
  .map((steps) => single(Object.fromEntries(steps)));

const numRuns = caseCount(60);
const isLongLost = await askForFault('a long stays one');

describe.each(serverNames)('bits on the server %s', (server) => {
  const store = useStore(server, 'bits');

  it.each(['operators', 'pipeline'] as const)('are what the mapper says, as %s', async (form) => {
    const property = fc.asyncProperty(integer, operation, async (value, operand) => {
      await store.collection.deleteMany({});
      await store.collection.insertOne({ _id: 1, n: value });
      const [name, argument] = operator(operand);
      const update =
        form === 'pipeline' ? [{ $set: { n: expression('$n', operand, '$n') } }] : { [name]: { n: argument } };
      await store.collection.updateOne({ _id: 1 }, update);
      const bytes = (await store.collection.findOne({}, { raw: true })) as unknown as Uint8Array;
      const expected = encodeDocument({ n: stored(value, operand, form) });
      const [is, should] = [bytes, expected].map((each) => exact(each)['n']);
      // Which type it is, too, but where a server is known to get that wrong.
      const shown = server !== 'embedded' && isLongLost ? String : (each: unknown): unknown => each;
      expect(shown(is)).toEqual(shown(should));
    });
    await fc.assert(property, { numRuns });
  });
});
