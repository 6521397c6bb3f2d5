import { expect } from 'vitest';
import { decode } from '../../src/values/bson.ts';
import { isDocument } from '../../src/values/value.ts';
import { text, val } from './engine.ts';
import { type Case, conformanceOfEngine, errorOf, type Workbench } from './conformance.ts';

type Input = Record<string, unknown>;

/**
 * An expression, the document that it is about, and what comes of it: a value as {@link text} writes it, or the number of
 * an error. A comment beside a case names the page that decides it where servers differ.
 */
export type ExpressionCase = readonly [expression: unknown, document: Input, expected: string | number];

/** Registers cases of expressions for every server under test. */
export function expressions(area: string, cases: readonly ExpressionCase[]): void {
  const named = cases.map(([expression, document, expected]): [string, Case] => {
    return [
      `${text(val(expression))} of ${text(val(document))}`,
      (bench) => check(bench, expression, document, expected),
    ];
  });
  conformanceOfEngine(area, distinct(named));
}

async function check(
  { collection }: Workbench,
  expression: unknown,
  document: Input,
  expected: string | number,
): Promise<void> {
  await collection.insertOne({ _id: 1, ...document }, { ignoreUndefined: false });
  const answer = collection
    .aggregate([{ $unset: '_id' }, { $replaceWith: { v: expression } }], { raw: true })
    .toArray();
  if (typeof expected === 'number') {
    expect((await errorOf(answer)).code).toBe(expected);
    return;
  }
  const [bytes] = await answer;
  const result = decode(Buffer.from(bytes as unknown as Uint8Array));
  expect(isDocument(result) && text(result.get('v'))).toBe(expected);
}

/** Stages over documents, and what comes of them: documents as {@link text} writes them, or the number of an error. */
export type PipelineCase = readonly [stages: readonly Input[], expected: readonly string[] | number];

/** Registers cases of pipelines over the same documents for every server under test. */
export function pipelines(area: string, documents: readonly Input[], cases: readonly PipelineCase[]): void {
  const named = cases.map(([stages, expected]): [string, Case] => [
    text(val(stages)),
    async ({ collection }) => {
      if (documents.length > 0) await collection.insertMany(documents.map((document) => ({ ...document })));
      const answer = collection.aggregate([...stages], { raw: true }).toArray();
      if (typeof expected === 'number') expect((await errorOf(answer)).code).toBe(expected);
      else expect((await answer).map((bytes) => text(decode(bytes as unknown as Uint8Array)))).toEqual(expected);
    },
  ]);
  conformanceOfEngine(area, distinct(named));
}

/** A case that is there twice would hide behind its twin. */
function distinct(named: readonly (readonly [string, Case])[]): Record<string, Case> {
  const cases = Object.fromEntries(named);
  if (Object.keys(cases).length === named.length) return cases;
  const titles = named.map(([title]) => title);
  throw new Error(`There twice: ${titles.filter((title, index) => titles.indexOf(title) !== index).join(', ')}`);
}
