import { type Abortable, type BulkWriteOptions, MongoBulkWriteError } from 'mongodb';
import type { ModelDefinition } from './definition.ts';
import type { Life, Write } from './life.ts';
import { outcomeOf, translate } from './outcome.ts';
import { checkWriteConcern, fail, planWrite, runHooks, settle, stampNew } from './save.ts';
import { validate } from './validate.ts';
import { OutcomeUnknownError, UsageError, ValidationError, type ValidationIssue } from './errors.ts';

/** Options of `insertMany`: the driver's, whether to validate, and what to give back. */
export interface InsertManyOptions extends BulkWriteOptions, Partial<Abortable> {
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
  const [first] = lives;
  if (first === undefined) return;
  checkWriteConcern('insertMany', first, driverOptions);
  const stored = lives.find((life) => !life.isNew);
  if (stored !== undefined)
    throw new UsageError('insertMany() takes new documents only: one of these is stored already.', stored.context);
  lives.forEach(runHooks);
  lives.forEach(stampNew);
  const writes = validated ? await planValid(lives) : lives.map(planInserted);
  driverOptions.signal?.throwIfAborted();
  try {
    await definition.collection().insertMany(
      writes.map((write) => write.document),
      driverOptions,
    );
  } catch (error) {
    throw failSome(lives, writes, error);
  }
  lives.forEach((life, i) => settle(life, writes[i] as Write));
}

type Insertion = Write & { kind: 'insert' };

function planInserted(life: Life): Insertion {
  return planWrite(life) as Insertion;
}

/** Validates all of them, and plans each as it was when it was found valid. */
async function planValid(lives: readonly Life[]): Promise<Insertion[]> {
  const writes: Insertion[] = [];
  const issues: ValidationIssue[] = [];
  for (const [index, life] of lives.entries()) {
    try {
      writes.push(await validate(life, () => planInserted(life)));
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(...error.issues.map((issue) => within(issue, index)));
    }
  }
  if (issues.length > 0) throw new ValidationError(issues, { model: lives[0]?.definition.collectionName });
  return writes;
}

/** The issue of one document of a list: its keys begin with the document's place. */
function within(issue: ValidationIssue, index: number): ValidationIssue {
  const placed = { ...issue, keys: [index, ...issue.keys], path: `${index}.${issue.path}` };
  return Object.defineProperty(placed, 'value', { value: issue.value, enumerable: false });
}

/** Notes which documents were stored before the error, and of which it is not known; gives the error to throw. */
function failSome(lives: readonly Life[], writes: readonly Write[], error: unknown): unknown {
  const result = error instanceof MongoBulkWriteError ? error.result : undefined;
  const refused = new Set(result?.getWriteErrors().map(({ index }) => index));
  // Batches go one after another: all up to here were answered.
  const answered = (result?.insertedCount ?? 0) + refused.size;
  const context = { model: lives[0]?.definition.collectionName };
  lives.slice(0, answered).forEach((life, i) => {
    if (!refused.has(i)) settle(life, writes[i] as Write);
  });
  if (outcomeOf(error) !== 'unknown') return translate(error, context, lives[0]?.definition);
  lives.slice(answered).forEach((life, i) => fail(life, writes[answered + i] as Write, error));
  const text =
    'The documents were sent, and the connection broke before the answer came. Calling save() of each is safe.';
  return new OutcomeUnknownError(text, { ...context, cause: error });
}
