import type { FieldNames } from '../schema/stored-name.ts';
import type { ModelOptions } from './model-options.ts';

/** The names of the fields that hold times. */
export interface Times {
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
}

/** The names that the option gives, only those that are there. */
export function timestampsOf(option: ModelOptions['timestamps']): Times | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return { createdAt: 'createdAt', updatedAt: 'updatedAt' };
  return Object.fromEntries(Object.entries(option).filter(([, name]) => name !== undefined));
}

export function storedTimes(times: Times, names: FieldNames): Times {
  return Object.fromEntries(Object.entries(times).map(([kind, name]) => [kind, names.storedPath(name)]));
}
