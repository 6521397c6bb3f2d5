/**
 * The server inside the process.
 *
 * @module @data-bridge/embedded
 */
export * from '../../packages/embedded/src/index.ts';
