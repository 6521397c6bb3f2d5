import type { FindOneAndUpdateOptions, ObjectId } from 'mongodb';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { UsageError } from '../errors.ts';
import type { Recorder } from '../save/recorder.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { announceAll } from './entry-batch.ts';
import { planEntry } from './entry.ts';
import { recordedModel } from './record.ts';
import { recordDelete, recordInsert, recordUpdate, withRevision } from './record-save.ts';
import { recordStaticWrite } from './record-static-write.ts';
import { checkUnrecorded, unrecordedOperation, unrecordedUpdate } from './unrecorded.ts';

/** Writes an entry into the model's history for each write of one document; writes of many go past it, and say so. */
export const HISTORY: Recorder = {
  needsDocuments: true,
  planInsert(document) {
    const entry = planEntry('insert');
    Object.assign(document, { [REVISION]: 1, [REVISION_ID]: entry.id });
    return entry;
  },
  planUpdate: () => planEntry('update'),
  insert: recordInsert,
  update: recordUpdate,
  settled: withRevision,
  announce: (definition, writes, options) => announceAll(recordedModel(definition), writes, options),
  delete: recordDelete,
  checkOne(definition, _method, history) {
    if (history === undefined) return;
    const text = 'The option "history" is for writes of many documents: those of one write its entry always.';
    throw new UsageError(text, definition.context);
  },
  async updateOne(definition, filter, write, options) {
    const { before = null, after = null } =
      (await recordStaticWrite(recordedModel(definition), filter, write, options as FindOneAndUpdateOptions)) ?? {};
    const isUpsert = before === null && after !== null;
    const count = before === null ? 0 : 1;
    return {
      acknowledged: true,
      matchedCount: count,
      modifiedCount: count,
      upsertedCount: isUpsert ? 1 : 0,
      upsertedId: isUpsert ? (new BsonBaseline(definition.layout(), after, 0).original('_id') as ObjectId) : null,
    };
  },
  async deleteOne(definition, filter, options) {
    const written = await recordStaticWrite(
      recordedModel(definition),
      filter,
      { kind: 'delete' },
      options as FindOneAndUpdateOptions,
    );
    return { acknowledged: true, deletedCount: written === null ? 0 : 1 };
  },
  async findAndWrite(definition, filter, write, options) {
    const written = await recordStaticWrite(recordedModel(definition), filter, write, options);
    const isAfter = options.returnDocument === 'after' && write.kind !== 'delete';
    return (isAfter ? written?.after : written?.before) ?? null;
  },
  checkMany: checkUnrecorded,
  manyUpdate: unrecordedUpdate,
  bulkOperation: unrecordedOperation,
};
