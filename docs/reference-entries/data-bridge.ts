/**
 * The mapper: connections, models, documents, queries and errors.
 *
 * @module data-bridge
 */
export * from '../../packages/data-bridge/src/index.ts';
