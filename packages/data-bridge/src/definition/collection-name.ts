import { UsageError } from '../errors.ts';

/** The server's rules for names, and `system.`, which it keeps for itself. */
export function checkCollectionName(name: string): void {
  const wrong = (problem: string): never => {
    throw new UsageError(`The name of a model's collection ${problem}.`);
  };
  if (typeof name !== 'string') wrong('must be a string');
  if (name === '') wrong('is empty');
  if (name.includes('$')) wrong('must not have a "$"');
  if (name.includes('\0')) wrong('must not have a zero byte');
  if (name.startsWith('system.')) wrong('must not start with "system.", which is reserved');
}

/** The server's limit for the name of a collection with its database's. */
const MAX_NAMESPACE = 255;

export function checkNamespace(database: string, model: string): void {
  const size = Buffer.byteLength(`${database}.${model}`);
  if (size <= MAX_NAMESPACE) return;
  const text = `The names of the database and of the model's collection are too long: ${size} bytes together, of at most ${MAX_NAMESPACE}.`;
  throw new UsageError(text, { model });
}
