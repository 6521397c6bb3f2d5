export type { Aggregate, AggregationOptions, Lookup } from './aggregate.ts';
export { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
export { type BsonOptions, Layout } from './bson/layout.ts';
export type { Bulk, BulkDeleteOptions, BulkOptions, BulkReplaceOptions, BulkUpdateOptions } from './bulk.ts';
export { binary, type BsonSchema, decimal, long, objectId, regex, timestamp, uuid } from './bson/types.ts';
export type { ChangeStream, WatchOptions, WatchStage } from './change-stream.ts';
export type { Checkpoint } from './checkpoint.ts';
export { connect, type Connection, type ConnectOptions, transaction } from './connection.ts';
export type { Concurrency, ModelOptions } from './model-options.ts';
export type { Document } from './document.ts';
export {
  type BulkResult,
  BulkSaveError,
  BulkWriteError,
  type Conflict,
  ConflictError,
  CorruptBsonError,
  DataBridgeError,
  DocumentNotFoundError,
  DuplicateKeyError,
  EncodeError,
  FieldNotLoadedError,
  HistoryError,
  type HistoryProblem,
  NotConnectedError,
  OutcomeUnknownError,
  type SaveResult,
  SchemaError,
  UsageError,
  ValidationError,
  type ValidationIssue,
} from './errors.ts';
export {
  type Distance,
  type GeoCondition,
  type Geometry,
  intersects,
  near,
  type Position,
  withinBox,
  withinCircle,
  withinPolygon,
} from './geo.ts';
export { withActor, withReason } from './history/context.ts';
export type { HistoryDocument } from './history-model.ts';
export type { HistoryChange, HistoryEntry, HistoryOptions, HistoryPage } from './history/page.ts';
export type { HistoryRepair } from './history/repair.ts';
export { identified, type IdentifiedSchema, type IdentityKey } from './identified.ts';
export type { EnsureCollectionOptions } from './indexes.ts';
export type { InsertManyOptions } from './insert-many.ts';
export { type Literal, literal, trusted } from './literal.ts';
export { model } from './model.ts';
export type { Page, PageOptions } from './page.ts';
export type { ForEachOptions, Query } from './query.ts';
export type { QueryOptions } from './query-plan.ts';
export { ref, type ReferenceListSchema, type ReferenceSchema } from './reference.ts';
export type { RebaseOptions } from './rebase.ts';
export type { RemoveOptions } from './remove.ts';
export type { Results } from './results.ts';
export type { SaveOptions } from './save.ts';
export type { SaveAllOptions } from './save-all.ts';
export type { Fields, FieldSchema } from './schema.ts';
export { escapeRegex } from './search.ts';
export type { HistoryModel, HistoryStatics, Model, ModelOf } from './statics.ts';
export type { Change } from './state/edits.ts';
export type { PipelineReason } from './state/operators.ts';
export type { UpdatePlan } from './state/plan.ts';
export { StateTracker } from './state/tracker.ts';
export { stored, type StoredSchema } from './stored.ts';
export type { OnConflict } from './terms.ts';
export type { TransactionCallback, TransactionOptions } from './transaction.ts';
export type { Accumulator, Computed, Expression } from './types/aggregate.ts';
export type {
  ChangeEvent,
  CollectionEvent,
  DeleteEvent,
  InsertEvent,
  Lookups,
  ReplaceEvent,
  UpdateDescription,
  UpdateEvent,
} from './types/change-event.ts';
export type { Equality, Filter } from './types/filter.ts';
export type { Paths, PathsTo, PathValue, UpdatePaths } from './types/paths.ts';
export type { Omitted, Selected } from './types/select.ts';
export type { IdOf, Input, InputOf, OutputOf, Shape, ShapeOf } from './types/shape.ts';
export type { Sort } from './types/sort.ts';
export type { Update } from './types/update.ts';
