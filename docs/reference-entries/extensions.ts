/**
 * Extensions of models that come with the package.
 *
 * @module data-bridge/extensions
 */
export * from '../../packages/data-bridge/src/extensions.ts';
