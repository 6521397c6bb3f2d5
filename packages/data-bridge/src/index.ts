export type { Aggregate, AggregationOptions, Lookup } from './aggregate/aggregate.ts';
export { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
export { type BsonOptions, Layout } from './bson/layout.ts';
export type { Bulk } from './write/bulk.ts';
export type { BulkDeleteOptions, BulkOptions, BulkReplaceOptions, BulkUpdateOptions } from './write/bulk-options.ts';
export { binary, type BsonSchema, decimal, long, objectId, regex, timestamp, uuid } from './schema/bson-types.ts';
export type { ChangeStream, WatchOptions, WatchStage } from './watch/change-stream.ts';
export type { Checkpoint } from './document/checkpoint.ts';
export { type ClientOptions, type Connection, transaction } from './connection/connection.ts';
export { connect, type ConnectOptions } from './collection-sync/connect.ts';
export type { Verify } from './collection-sync/verify.ts';
export type { HookName } from './definition/hook-names.ts';
export type { ExtendOptions } from './definition/extend-options.ts';
export type { AnyExtension, HardOptions, ScopeOptions, Unscoped } from './definition/extension.ts';
export type { CollectionOptions, Concurrency, ModelOptions } from './definition/model-options.ts';
export type { Document } from './save/document.ts';
export {
  AfterHookError,
  type BulkResult,
  BulkSaveError,
  BulkWriteError,
  type Conflict,
  ConflictError,
  CorruptBsonError,
  DataBridgeError,
  DocumentNotFoundError,
  DriftError,
  DuplicateKeyError,
  EncodeError,
  FieldNotLoadedError,
  HistoryError,
  type HistoryProblem,
  InvalidIdError,
  InvalidPageTokenError,
  NotConnectedError,
  OutcomeUnknownError,
  OutdatedPlanError,
  RefNotLoadedError,
  RestrictedError,
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
} from './filter/geo.ts';
export { withActor, withReason } from './definition/authorship.ts';
export type { HistoryDocument } from './model/history-model.ts';
export type { HistoryChange, HistoryEntry, HistoryOptions, HistoryPage } from './history/page.ts';
export type { HistoryRepair } from './history/repair.ts';
export { identified, type IdentifiedSchema, type IdentityKey } from './schema/identified.ts';
export { type OfScalars, unique, type UniqueSchema } from './schema/unique.ts';
export { apply, type ApplyOptions, type ApplyResult } from './collection-sync/apply.ts';
export type { EnsureCollectionOptions } from './collection-sync/ensure.ts';
export type { IndexSettings, IndexSpec } from './collection-sync/index-spec.ts';
export { plan, type PlannedModel } from './collection-sync/plan.ts';
export type {
  Plan,
  PlanNote,
  PlannedCollection,
  PlanOptions,
  PlanStep,
  SampleIds,
  StepAction,
  StepClass,
  StepCost,
} from './collection-sync/plan-types.ts';
export type { InsertManyOptions } from './write/insert-many.ts';
export { type Literal, literal, trusted } from './filter/literal.ts';
export type { Log, LogCounts, LogEntry, LogFailure } from './connection/command-log.ts';
export { extension, type Extension } from './model/extension.ts';
export type { Middleware, MiddlewareCommand } from './connection/middleware.ts';
export type { CommandTrace, SaveTrace } from './connection/tracing.ts';
export { model } from './model/model.ts';
export type { AuditFinding, AuditOptions } from './query/audit.ts';
export type { Page, PageOptions } from './query/page.ts';
export type { ForEachOptions } from './query/for-each.ts';
export type { OneQuery } from './query/one-query.ts';
export type { Query } from './query/query.ts';
export type { QueryOptions } from './query/query-spec.ts';
export type { RulesOptions } from './references/delete-rules.ts';
export { backRef, type BackRefDeclaration } from './references/back-link.ts';
export {
  type OneOfListSchema,
  type OneOfSchema,
  ref,
  type ReferenceListSchema,
  type ReferenceSchema,
  type RefOptions,
} from './references/ref.ts';
export type { RebaseOptions } from './save/rebase.ts';
export type { RemoveOptions } from './save/delete.ts';
export type { Results } from './query/results.ts';
export type { SaveOptions } from './save/save.ts';
export type { SaveAllOptions } from './save/save-all.ts';
export type { Fields, FieldSchema } from './schema/schema-field.ts';
export { escapeRegex } from './filter/escape-regex.ts';
export type { HistoryModel, HistoryStatics, Model, ModelOf, Statics, SubModel } from './model/statics.ts';
export type { Change } from './edits/edits.ts';
export type { PipelineReason } from './update/operators.ts';
export type { UpdatePlan } from './update/plan.ts';
export { StateTracker } from './tracking/state-tracker.ts';
export { hidden, type MarkedSchema, writeOnce } from './schema/field-marks.ts';
export { stored, type StoredSchema } from './schema/stored-name.ts';
export type { OnConflict } from './save/write-conditions.ts';
export type { TransactionCallback, TransactionOptions } from './connection/transaction.ts';
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
export type {
  Assigned,
  DefaultId,
  DefaultTimes,
  IdOf,
  Input,
  InputOf,
  OutputOf,
  Shape,
  ShapeOf,
} from './types/shape.ts';
export type { AnyRef, StoredRef } from './types/stored-id.ts';
export type { BackRef, BackRefsOf, HasBackRefs, Loaded, LoadedRef, OneOfRef, Plain, Ref } from './types/ref.ts';
export type { Sort } from './types/sort.ts';
export type { Update } from './types/update.ts';
