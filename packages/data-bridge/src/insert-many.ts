import { type BulkWriteOptions, MongoBulkWriteError } from 'mongodb';
import type { ModelDefinition } from './definition.ts';
import type { Life } from './life.ts';
import { outcomeOf, translate } from './outcome.ts';
import { fail, planWrite, settle, type Write } from './save.ts';
import { validate } from './validate.ts';
import { UsageError, ValidationError, type ValidationIssue } from './errors.ts';

/** Options of `insertMany`: the driver's, whether to validate, and what to give back. */
export interface InsertManyOptions extends BulkWriteOptions {
  /**
   * Are all documents validated before anything is sent?
   * @default the model's `validate`
   */
  readonly validate?: boolean;
  /**
   * The documents, or their `_id`s alone.
   * @default 'documents'
   */
  readonly return?: 'documents' | 'ids';
}

/** Inserts new documents in one call of the driver. Nothing is sent unless all of them are valid. */
export async function insertMany(
  definition: ModelDefinition,
  lives: readonly Life[],
  options: InsertManyOptions = {},
): Promise<void> {
  const { validate: validated = definition.validate, return: _, ...driverOptions } = options;
  if (lives.length === 0) return;
  const stored = lives.find((life) => !life.isNew);
  if (stored !== undefined)
    throw new UsageError('insertMany() takes new documents only: one of these is stored already.', stored.context);
  if (validated) await validateAll(lives);
  const writes = lives.map((life) => planWrite(life) as Write & { kind: 'insert' });
  try {
    await definition.collection().insertMany(
      writes.map((write) => write.document),
      driverOptions,
    );
  } catch (error) {
    settleSome(lives, writes, error, driverOptions.ordered !== false);
    throw translate(error, { model: definition.collectionName });
  }
  lives.forEach((life, i) => settle(life, writes[i] as Write));
}

async function validateAll(lives: readonly Life[]): Promise<void> {
  const issues: ValidationIssue[] = [];
  for (const [index, life] of lives.entries()) {
    try {
      await validate(life);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(...error.issues.map((issue) => within(issue, index)));
    }
  }
  if (issues.length > 0) throw new ValidationError(issues, { model: lives[0]?.definition.collectionName });
}

/** The issue of one document of a list: its keys begin with the document's place. */
function within(issue: ValidationIssue, index: number): ValidationIssue {
  const placed = { ...issue, keys: [index, ...issue.keys], path: `${index}.${issue.path}` };
  return Object.defineProperty(placed, 'value', { value: issue.value, enumerable: false });
}

/** Some were stored before the error: they are no longer new. */
function settleSome(lives: readonly Life[], writes: readonly Write[], error: unknown, ordered: boolean): void {
  if (!(error instanceof MongoBulkWriteError)) {
    if (outcomeOf(error) !== 'refused') lives.forEach((life, i) => fail(life, writes[i] as Write, error));
    return;
  }
  const refused = new Set([error.writeErrors].flat().map((failure) => failure.index));
  const sent = ordered && refused.size > 0 ? Math.min(...refused) : lives.length;
  lives.slice(0, sent).forEach((life, i) => {
    if (!refused.has(i)) settle(life, writes[i] as Write);
  });
}
