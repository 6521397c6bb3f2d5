// https://www.mongodb.com/docs/manual/reference/operator/update/rename/
import { ServerError } from '../../errors.ts';
import { isIndex, member } from '../../values/path.ts';
import { showElement } from '../../values/text.ts';
import { type Document, isArray, isDocument, type Value } from '../../values/value.ts';
import { badValue, type Modifier, nameOf } from './modifier.ts';

/**
 * The half of `$rename` that is at the new name: takes the value from the old one, if the document has it.
 * @throws ServerError 2 for names that cannot be renamed
 */
export function renameTo(from: string, to: Value): { readonly path: string; readonly modifier: Modifier } {
  if (typeof to !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${from}`);
  if (isDynamic(from)) throw badValue(`The source field for $rename may not be dynamic: ${from}`);
  if (isDynamic(to)) throw badValue(`The destination field for $rename may not be dynamic: ${to}`);
  if (from === to) throw badValue(`The source and target field for $rename must differ: ${from}: "${to}"`);
  if (to.startsWith(`${from}.`) || from.startsWith(`${to}.`)) {
    throw badValue(`The source and target field for $rename must not be on the same path: ${from}: "${to}"`);
  }
  return {
    path: to,
    modifier: {
      creates: ({ document }) => movedValue(document, from, to) !== undefined,
      apply: (value, { document }) => movedValue(document, from, to) ?? value,
    },
  };
}

/** What is to be at the new name, if there is anything at the old one. */
function movedValue(document: Document, from: string, to: string): Value | undefined {
  const value = source(document, from);
  if (value !== undefined) checkDestination(document, to);
  return value;
}

function isDynamic(path: string): boolean {
  return path.split('.').some((name) => name.startsWith('$'));
}

/**
 * The value at a path through documents.
 * @throws ServerError 28 where the path leads through a value without members, 2 where it names an element of an array
 */
function source(document: Document, path: string): Value | undefined {
  let value: Value | undefined = document;
  let parent = '';
  let array: string | undefined;
  for (const name of path.split('.')) {
    if (value === undefined) return undefined;
    if (!isDocument(value) && !(isArray(value) && isIndex(name))) {
      throw new ServerError(
        28,
        `cannot use the part (${parent} of ${path}) to traverse the element ({${showElement(parent, value)}})`,
      );
    }
    if (isArray(value)) array ??= parent;
    value = member(value, name);
    parent = name;
  }
  if (value !== undefined && array !== undefined) throw inArray('source', document, path, array);
  return value;
}

function checkDestination(document: Document, path: string): void {
  let value: Value | undefined = document;
  let parent = '';
  for (const name of path.split('.')) {
    if (isArray(value)) throw inArray('destination', document, path, parent);
    value = isDocument(value) ? value.get(name) : undefined;
    parent = name;
  }
}

function inArray(role: 'source' | 'destination', document: Document, path: string, array: string): ServerError {
  return badValue(
    `The ${role} field cannot be an array element, '${path}' in doc with ${nameOf(document)} has an array field called '${array}'`,
  );
}
