import { describe, expect, it } from 'vitest';
import * as extensions from '../src/extensions.ts';
import * as names from '../src/index.ts';
import * as driver from 'mongodb';

describe('the public names of data-bridge', () => {
  it('are these', () => {
    expect(Object.keys(names).toSorted()).toEqual([
      'AfterHookError',
      'BSONRegExp',
      'Binary',
      'BulkSaveError',
      'BulkWriteError',
      'ConflictError',
      'CorruptBsonError',
      'DataBridgeError',
      'Decimal128',
      'DocumentNotFoundError',
      'Double',
      'DriftError',
      'DuplicateKeyError',
      'EncodeError',
      'FieldNotLoadedError',
      'HistoryError',
      'Int32',
      'InvalidIdError',
      'InvalidPageTokenError',
      'Layout',
      'Long',
      'NotConnectedError',
      'ObjectId',
      'OutcomeUnknownError',
      'OutdatedPlanError',
      'RefNotLoadedError',
      'RestrictedError',
      'SchemaError',
      'StateTracker',
      'Timestamp',
      'UUID',
      'UsageError',
      'ValidationError',
      'apply',
      'backRef',
      'binary',
      'connect',
      'decimal',
      'escapeRegex',
      'extension',
      'hidden',
      'identified',
      'intersects',
      'literal',
      'long',
      'model',
      'near',
      'objectId',
      'plan',
      'ref',
      'regex',
      'stored',
      'timestamp',
      'transaction',
      'trusted',
      'unique',
      'uuid',
      'withActor',
      'withReason',
      'withinBox',
      'withinCircle',
      'withinPolygon',
      'writeOnce',
    ]);
  });

  it('are these of its extensions', () => {
    expect(Object.keys(extensions).toSorted()).toEqual(['audit', 'softDelete', 'tenant', 'withActor', 'withTenant']);
  });

  it("have the driver's own BSON classes among them", () => {
    expect([names.ObjectId, names.Long, names.UUID]).toEqual([driver.ObjectId, driver.Long, driver.UUID]);
  });

  it('give every error a stable code', () => {
    const codes = [
      new names.AfterHookError('x'),
      new names.BulkSaveError([]),
      new names.BulkWriteError([]),
      new names.ConflictError('x'),
      new names.CorruptBsonError('x', 1),
      new names.DocumentNotFoundError('x'),
      new names.DuplicateKeyError('x'),
      new names.EncodeError(['a', 0], 'x'),
      new names.FieldNotLoadedError('a.b'),
      new names.HistoryError('x', { problem: 'gap' }),
      new names.InvalidIdError('_id'),
      new names.InvalidPageTokenError(),
      new names.NotConnectedError('x'),
      new names.OutcomeUnknownError('x'),
      new names.SchemaError('x'),
      new names.UsageError('x'),
      new names.ValidationError([]),
    ].map((error) => {
      expect(error).toBeInstanceOf(names.DataBridgeError);
      expect(error).toBeInstanceOf(Error);
      return [error.name, error.code];
    });
    expect(codes).toEqual([
      ['AfterHookError', 'DATA_BRIDGE_AFTER_HOOK'],
      ['BulkSaveError', 'DATA_BRIDGE_BULK_SAVE'],
      ['BulkWriteError', 'DATA_BRIDGE_BULK_WRITE'],
      ['ConflictError', 'DATA_BRIDGE_CONFLICT'],
      ['CorruptBsonError', 'DATA_BRIDGE_CORRUPT_BSON'],
      ['DocumentNotFoundError', 'DATA_BRIDGE_DOCUMENT_NOT_FOUND'],
      ['DuplicateKeyError', 'DATA_BRIDGE_DUPLICATE_KEY'],
      ['EncodeError', 'DATA_BRIDGE_ENCODE'],
      ['FieldNotLoadedError', 'DATA_BRIDGE_FIELD_NOT_LOADED'],
      ['HistoryError', 'DATA_BRIDGE_HISTORY'],
      ['InvalidIdError', 'DATA_BRIDGE_INVALID_ID'],
      ['InvalidPageTokenError', 'DATA_BRIDGE_INVALID_PAGE_TOKEN'],
      ['NotConnectedError', 'DATA_BRIDGE_NOT_CONNECTED'],
      ['OutcomeUnknownError', 'DATA_BRIDGE_OUTCOME_UNKNOWN'],
      ['SchemaError', 'DATA_BRIDGE_SCHEMA'],
      ['UsageError', 'DATA_BRIDGE_USAGE'],
      ['ValidationError', 'DATA_BRIDGE_VALIDATION'],
    ]);
  });

  it('give errors a context, and no enumerable values', () => {
    const cause = new Error('why');
    const error = new names.UsageError('what', { model: 'users', id: 5, cause });
    expect([error.message, error.model, error.id, error.cause]).toEqual(['what', 'users', 5, cause]);
    expect(Object.hasOwn(new names.UsageError('x'), 'cause')).toBe(false);
    expect(new names.EncodeError([], 'x').message).toBe('The document cannot be stored: x.');
    expect(new names.EncodeError(['a', 0], 'x').message).toBe('"a.0" cannot be stored: x.');
    expect(new names.CorruptBsonError('x', 5).message).toBe('The document is not valid BSON: x at byte 5.');
  });
});
