import { ServerError } from '../errors.ts';

/** A namespace, `<database>.<collection>`, may have that many bytes. */
const MAX_NAMESPACE_LENGTH = 255;
const MAX_DATABASE_LENGTH = 63;

/** Where a collection is. */
export interface Namespace {
  readonly database: string;
  readonly name: string;
}

/** Takes `<database>.<collection>` apart. Throws 73 for a text that is not one. */
export function splitNamespace(namespace: string): Namespace {
  const dot = namespace.indexOf('.');
  if (dot < 1 || dot === namespace.length - 1) throw new ServerError(73, `Invalid namespace specified '${namespace}'`);
  return { database: namespace.slice(0, dot), name: namespace.slice(dot + 1) };
}

/** Throws 73 where a database cannot be called that. Source: the MongoDB manual, "Naming Restrictions". */
export function checkDatabaseName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > MAX_DATABASE_LENGTH || /[/\\. "$*<>:|?\0]/.test(name)) {
    throw new ServerError(73, `Invalid database name: '${name}'`);
  }
}

/** Throws 73 for the name of a new collection that is kept for the server itself. */
export function checkNewName(database: string, name: string): void {
  if (name.startsWith('system.')) throw new ServerError(73, `Invalid system namespace: ${database}.${name}`);
}

/** Throws 73 where a collection cannot be called that. */
export function checkCollectionName(database: string, name: string): void {
  const namespace = `${database}.${name}`;
  if (name === '' || name.startsWith('.') || name.endsWith('.') || /[$\0]/.test(name)) {
    throw new ServerError(73, `Invalid namespace specified '${namespace}'`);
  }
  if (Buffer.byteLength(namespace) > MAX_NAMESPACE_LENGTH) {
    throw new ServerError(
      73,
      `Fully qualified namespace is too long. Namespace: ${namespace} Max: ${MAX_NAMESPACE_LENGTH}`,
    );
  }
}

/** True where two different names of databases are the same to a file system that does not tell case. */
export function differByCase(one: string, other: string): boolean {
  return one !== other && one.toLowerCase() === other.toLowerCase();
}
