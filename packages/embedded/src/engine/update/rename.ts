// https://www.mongodb.com/docs/manual/reference/operator/update/rename/
import { isArray, isDocument, type Document, type Value } from '../value.ts';
import { badValue, type Context, type Modifier, nameOf } from './modifier.ts';

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
  const source = (context: Context): Value | undefined => follow(context.document, from, 'source');
  return {
    path: to,
    modifier: {
      creates: (context) => source(context) !== undefined,
      apply: (value, context) => {
        const moved = source(context);
        if (moved !== undefined) follow(context.document, to, 'destination');
        return moved ?? value;
      },
    },
  };
}

function isDynamic(path: string): boolean {
  return path.split('.').some((name) => name.startsWith('$'));
}

/** The value at a path through documents; a path through an array is an error. */
function follow(document: Document, path: string, role: 'source' | 'destination'): Value | undefined {
  let value: Value | undefined = document;
  let parent = '';
  for (const name of path.split('.')) {
    if (isArray(value)) {
      throw badValue(
        `The ${role} field cannot be an array element, '${path}' in doc with ${nameOf(document)} has an array field called '${parent}'`,
      );
    }
    value = isDocument(value) ? value.get(name) : undefined;
    parent = name;
  }
  return value;
}
