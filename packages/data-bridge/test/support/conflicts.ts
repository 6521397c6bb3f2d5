import { ConflictError } from '../../src/index.ts';
import { Account } from './conflict-models.ts';
import type { TestDatabase } from './database.ts';
import { rejectionOf } from './rejection.ts';

/** The ConflictError that a promise must end with. */
export function conflictOf(promise: Promise<unknown>): Promise<ConflictError> {
  return rejectionOf(ConflictError, promise);
}

/** Two copies of one document. No command is left in the `sent()` of the database that is given. */
export async function twoOf<D>(load: () => Promise<D | null>, database?: TestDatabase): Promise<[D, D]> {
  const [first, second] = [await load(), await load()];
  if (first === null || second === null) throw new Error('Expected a document');
  database?.sent();
  return [first, second];
}

/** The same of a new account. */
export async function twoAccounts(input: object = {}, database?: TestDatabase): Promise<[Account, Account]> {
  const { _id } = await Account.create({ name: 'Ann', ...input });
  return twoOf(() => Account.findById(_id), database);
}

/** What is stored of an account, but for its id and timestamps. */
export async function storedAccount({ _id }: Account) {
  const { createdAt: _, updatedAt: _u, _id: _i, ...rest } = await Account.find({ _id }).lean().one();
  return rest;
}
