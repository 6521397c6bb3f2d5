/**
 * The command line, and what its commands do as functions.
 *
 * @module @data-bridge/cli
 */
export * from '../../packages/cli/src/index.ts';
