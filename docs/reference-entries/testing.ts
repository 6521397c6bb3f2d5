/**
 * Comparing documents in tests.
 *
 * @module data-bridge/testing
 */
export * from '../../packages/data-bridge/src/testing/document-equality.ts';
