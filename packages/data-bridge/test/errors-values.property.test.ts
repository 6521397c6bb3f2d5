import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anyUnicode } from '../../../scripts/any-unicode.ts';
import { caseCount } from '../../../scripts/case-count.ts';
import { model } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

class Note extends model(
  'notes',
  { text: z.string(), size: z.number().default(0) },
  { indexes: [{ key: { text: 1 }, unique: true }] },
) {}

const database = useDatabase();
beforeAll(async () => {
  await database.db.createCollection('notes', { validator: { size: { $gte: 0 } } });
  await Note.ensureIndexes();
});
beforeEach(() => Note.deleteMany({}).then(() => undefined));

/** What no text of the server has, between whatever could mislead a reader of its sentences. */
const SECRET = 'zq7secret';
const piece = fc.oneof(
  anyUnicode(5),
  fc.constantFrom(
    '"',
    "'",
    '{',
    '}',
    '{ ',
    ' }',
    '" }',
    'dup key: ',
    'index: x_1',
    ': ',
    '\\',
    '\n',
    '\n    at ',
    'Tree: ',
  ),
);
const secret = fc
  .tuple(fc.array(piece, { maxLength: 4 }), fc.array(piece, { maxLength: 4 }))
  .map(([before, after]) => before.join('') + SECRET + after.join(''));

function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [inspect(error, { depth: 20 }), JSON.stringify(error), error.stack, shown(error.cause)].join('\n');
}

describe('a text that is refused', () => {
  it('is not seen in the error, whatever it looks like', async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (text) => {
        await Note.deleteMany({});
        const note = await Note.create({ text });
        const calls = [
          () => Note.create({ text }),
          () => Note.insertMany([{ text }]),
          () => Note.saveAll([new Note({ text })]),
          () => Note.updateOne({}, { $set: { text, size: -1 } }),
          () => Note.updateOne({}, { $inc: { text: 1 } } as never),
          () => Note.updateOne({}, { $inc: { size: text } } as never),
          () => Note.updateOne({}, { $set: { 'text.x': text } } as never),
          () => Note.updateOne({}, { $pop: { size: text } } as never),
          () => Note.updateOne({}, { $push: { text } } as never),
          () => Note.updateOne({}, [{ $set: { size: { $toInt: '$text' } } }] as never),
          () => Note.find({ text: { $in: text } } as never),
          () => note.set('size', -1).save(),
        ];
        for (const call of calls) {
          const error: unknown = await Promise.resolve(call()).then(
            () => 'nothing was thrown',
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(Error);
          expect(shown(error)).not.toContain(SECRET);
        }
      }),
      { numRuns: caseCount(40) },
    );
  });
});
