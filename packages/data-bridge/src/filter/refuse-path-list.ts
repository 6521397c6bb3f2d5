import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';

/**
 * Refuses a text in which other libraries have several paths, or one with a sign: `'name email'`, `'-age'`. To the server it
 * would be the name of one field that no document has. Such a name is taken where the schema has it.
 *
 * @throws UsageError that says how it is written here.
 */
export function refusePathList(method: string, path: string, definition: ModelDefinition): void {
  if (!/^[-+]|[\s,]/.test(path) || isField(firstOf(path), definition)) {
    // case: a list whose first path is a nested one, "address.city name"
    if (!/[\s,]/.test(path) || !pathsIn(path).every((each) => isField(firstOf(each), definition))) return;
  }
  const paths = pathsIn(path);
  if (!paths.some((each) => isField(firstOf(each), definition))) return;
  throw new UsageError(`${method}() takes no "${path}": ${howWritten(method, path, paths)}.`, definition.context);
}

function howWritten(method: string, path: string, paths: readonly string[]): string {
  const quoted = paths.map((each) => `'${each}'`).join(', ');
  if (method === 'sort') {
    const signed = path.split(/[\s,]+/).filter((each) => each !== '');
    return `write sort({ ${signed.map((each, i) => `${keyOf(paths[i])}: ${each.startsWith('-') ? -1 : 1}`).join(', ')} })`;
  }
  if (method === 'hydrate') return `write { select: [${quoted}] }`;
  if (method === 'select' && path.startsWith('-')) return `leave fields out by omit(${quoted})`;
  return paths.length > 1 ? `each path is an argument of its own, ${method}(${quoted})` : `write ${method}(${quoted})`;
}

function keyOf(path = ''): string {
  return /^\w+$/.test(path) ? path : `'${path}'`;
}

/** The paths that were meant, without their signs. */
function pathsIn(text: string): string[] {
  return text.split(/[\s,]+/).flatMap((word) => word.replace(/^[-+]/, '') || []);
}

function firstOf(path: string): string {
  return path.split('.', 1)[0] as string;
}

function isField(name: string, definition: ModelDefinition): boolean {
  return definition.names.has(definition.storedPath(name));
}
