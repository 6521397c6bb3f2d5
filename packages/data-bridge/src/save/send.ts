import { encodeDocument } from '../bson/encode.ts';
import { serverCode } from '../connection/driver-error.ts';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import type { DocumentState, InsertWrite, UpdateWrite, Write, WriteConditions } from '../document/document-state.ts';
import { guardedFilter } from '../document/document-filter.ts';
import { type Answer, type Update, notFound, readRaw } from '../document/stored-commands.ts';
import { type Situation, type UpdatePlan, fallback, plan } from '../update/plan.ts';
import { joinGuards } from '../update/value-guards.ts';
import { recorderOf } from './recorder.ts';
import type { BSON, UpdateOptions } from 'mongodb';

/** Null where the stored document is not as the conditions of an update ask. */
export function send(state: DocumentState, write: Write, options: UpdateOptions): Promise<Answer | null> {
  return write.kind === 'insert' ? sendInsert(state, write, options) : sendEdits(state, write, options);
}

async function sendInsert(state: DocumentState, write: InsertWrite, options: UpdateOptions): Promise<Answer> {
  const { document } = write;
  await recorderOf(state.definition).insert(state, write, options, () => insert(state, document, options));
  return DONE;
}

const DONE: Answer = { stored: null };

async function insert(state: DocumentState, document: BSON.Document, options: UpdateOptions): Promise<void> {
  try {
    await state.definition.collection().insertOne(document, options);
  } catch (error) {
    // An insert that is sent again, since its answer was lost, may find its own document.
    if (state.unanswered === null || serverCode(error) !== 11000) throw error;
    const stored = await readRaw(state);
    if (stored === null || Buffer.compare(stored, encodeDocument(document)) !== 0) throw error;
  }
}

function sendEdits(state: DocumentState, write: UpdateWrite, options: UpdateOptions): Promise<Answer | null> {
  if (write.tree.children.size === 0) return Promise.resolve(DONE);
  return recorderOf(state.definition).update(state, write, options, (by) => sendUpdate(state, write, options, by));
}

const ASKED = { merge: 'anything', fields: 'values', version: 'kinds' } as const satisfies Record<
  string,
  Situation['asked']
>;

async function sendUpdate(
  state: DocumentState,
  { filter, tree, conditions }: UpdateWrite,
  options: UpdateOptions,
  tryPlan: Update,
): Promise<Answer | null> {
  const collation = conditions?.collation;
  const tryForm = (form: UpdatePlan) =>
    tryPlan(
      state,
      guardedFilter(state, filter, wholeGuard(form, conditions)),
      collation === undefined ? form : { ...form, collation },
      options,
    );
  // An error would abort a transaction, so there the form that cannot fail goes first.
  const first = plan(tree, {
    isRetry: conditions?.asPipeline === true,
    inTransaction: isInTransaction(options),
    asked: ASKED[conditions?.concurrency ?? 'merge'],
  });
  const isLast = conditions !== null || (first.guard === undefined && Array.isArray(first.update));
  const answer = (await tryForm(first)) ?? (isLast ? null : await tryForm(fallback(tree)));
  if (answer === null && conditions === null) throw notFound(state);
  return answer;
}

/** What is asked of the stored document so that an update means what it says, and as its conditions have it. */
function wholeGuard(form: UpdatePlan, conditions: WriteConditions | null): object | undefined {
  if (conditions === null) return form.guard;
  // What guards values, or their kinds, guards the shape that they lie in.
  return conditions.concurrency === 'merge' ? joinGuards({ ...form.guard }, conditions.filter) : conditions.filter;
}
