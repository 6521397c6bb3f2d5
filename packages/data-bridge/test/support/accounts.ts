import { z } from 'zod';
import { model } from '../../src/index.ts';

/** What the tests of transactions are about. */
export class Account extends model('accounts', {
  owner: z.string().min(1),
  balance: z.number().default(0),
  log: z.array(z.string()).default([]),
  note: z.string().trim().optional(),
}) {}

/** What is stored, as `{ owner: balance }`. */
export async function balances(accounts: typeof Account = Account): Promise<Record<string, number>> {
  const found = await accounts.find().sort('owner');
  return Object.fromEntries(found.map(({ owner, balance }) => [owner, balance]));
}

/** Two accounts, with 10 and with nothing. */
export async function makePair(accounts: typeof Account = Account): Promise<[Account, Account]> {
  const [ann, bob] = await accounts.insertMany([{ owner: 'Ann', balance: 10 }, { owner: 'Bob' }]);
  if (ann === undefined || bob === undefined) throw new Error('Two were inserted.');
  return [ann, bob];
}
