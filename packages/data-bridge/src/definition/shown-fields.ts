import { UsageError } from '../errors.ts';
import type { ModelOptions } from './model-options.ts';

/**
 * Looks at the options that say what others see of a document.
 *
 * @param isField tells whether a path of the program's begins with a field.
 * @throws UsageError
 */
export function checkShown(
  model: string,
  { json = [], omit = [] }: ModelOptions,
  isField: (path: string) => boolean,
): void {
  const shown = json.find(isField);
  if (shown !== undefined) refuse(model, 'json', shown, 'which is a field: it takes getters of the class');
  const wrong = omit.find((path) => !isField(path));
  if (wrong !== undefined) refuse(model, 'omit', wrong, 'which begins with no field of the schema');
}

function refuse(model: string, option: string, name: string, problem: string): never {
  throw new UsageError(`The model option "${option}" names "${name}", ${problem}.`, { model });
}
