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

/** Several copies of one document. */
export async function copiesOf<D>(count: number, load: () => Promise<D | null>): Promise<D[]> {
  const copies: D[] = [];
  for (let i = 0; i < count; i += 1) {
    const copy = await load();
    if (copy === null) throw new Error('Expected a document');
    copies.push(copy);
  }
  return copies;
}

/** Two copies of one document. */
export async function twoOf<D>(load: () => Promise<D | null>): Promise<[D, D]> {
  return (await copiesOf(2, load)) as [D, D];
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
