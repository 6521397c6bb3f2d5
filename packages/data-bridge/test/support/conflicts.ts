import { ConflictError } from '../../src/index.ts';
import { Account } from './conflict-models.ts';

/** The ConflictError that a promise must end with. */
export async function conflictOf(promise: Promise<unknown>): Promise<ConflictError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConflictError)) throw new Error('Expected a ConflictError', { cause: error });
  return error;
}

/** Two copies of one document. */
export async function twoOf<D>(load: () => Promise<D | null>): Promise<[D, D]> {
  const [first, second] = [await load(), await load()];
  if (first === null || second === null) throw new Error('Expected a document');
  return [first, second];
}

/** Two copies of a new account. */
export async function twoAccounts(input: object = {}): Promise<[Account, Account]> {
  const { _id } = await Account.create({ name: 'Ann', ...input });
  return twoOf(() => Account.findById(_id));
}

/** What is stored of an account, but for its id and timestamps. */
export async function storedAccount({ _id }: Account) {
  const { createdAt: _, updatedAt: _u, _id: _i, ...rest } = await Account.find({ _id }).lean().one();
  return rest;
}
