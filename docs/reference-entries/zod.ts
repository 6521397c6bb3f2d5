/**
 * BSON types as Zod types, which nest in any other. Needs Zod 4.
 *
 * @module data-bridge/zod
 */
export * from '../../packages/data-bridge/src/zod.ts';
