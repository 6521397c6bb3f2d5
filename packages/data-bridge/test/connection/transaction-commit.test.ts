import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DocumentNotFoundError, OutcomeUnknownError, transaction } from '../../src/index.ts';
import { Account, balances, makePair } from '../support/accounts.ts';
import { useProxiedDatabase } from '../support/proxy.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

describe.runIf(isReplicaSet)('the commit of a transaction', () => {
  const { proxy } = useProxiedDatabase({ retryWrites: true });
  beforeAll(() => Account.ensureCollection());
  beforeEach(() => Account.deleteMany({}));

  const refusal = (code: number, codeName: string, ...errorLabels: string[]) => {
    return { answer: { ok: 0, code, codeName, errmsg: `not now: ${codeName}`, errorLabels } };
  };
  /** Moves one from an account to another, and makes a third. */
  const move = (from: Account, to: Account) =>
    transaction(async () => {
      from.balance -= 1;
      from.log.push('x');
      to.balance += 1;
      await Account.saveAll([from, to, await Account.create({ owner: 'Cid' })]);
    });

  it('leaves documents in doubt when nobody knows what came of it', async () => {
    const [ann, bob] = await makePair();
    const other = await Account.create({ owner: 'Dan' });
    // The server commits, and the driver hears that it took too long.
    proxy.next('commitTransaction', () => refusal(50, 'MaxTimeMSExpired').answer);
    const unknown = transaction(async () => {
      ann.balance -= 1;
      await ann.save();
      await bob.delete();
      other.balance = 7;
    });
    await expect(unknown).rejects.toThrow(OutcomeUnknownError);
    expect([ann.balance, other.balance]).toEqual([9, 7]);
    ann.log.push('y');
    await expect(ann.save()).rejects.toThrow(/Call reload\(\)/);
    await expect(Account.saveAll([ann])).rejects.toThrow(/OutcomeUnknownError/);
    // What was not sent is in no doubt.
    await other.save();
    await ann.$rebase({ applied: true });
    expect(ann.log).toEqual(['y']);
    await ann.save();
    await ann.reload();
    ann.log.push('z');
    await ann.save();
    await expect(bob.reload()).rejects.toThrow(DocumentNotFoundError);
    expect(await balances()).toEqual({ Ann: 9, Dan: 7 });
  });

  it('is taken for done where the program says so', async () => {
    const [ann] = await makePair();
    proxy.next('commitTransaction', () => refusal(50, 'MaxTimeMSExpired').answer);
    const unknown = transaction(async () => {
      ann.balance -= 1;
      await ann.save();
    });
    await expect(unknown).rejects.toThrow(OutcomeUnknownError);
    await expect(ann.$rebase()).rejects.toThrow(OutcomeUnknownError);
    await expect(ann.$rebase({ applied: false })).rejects.toThrow('reload()');
    ann.log.push('y');
    await ann.$rebase({ applied: true });
    expect(ann.changes().map(({ path }) => path)).toEqual(['log']);
    await ann.save();
    expect([ann.balance, ann.log]).toEqual([9, ['y']]);
  });

  it('takes documents back when the server refuses it', async () => {
    const [ann, bob] = await makePair();
    proxy.next('commitTransaction', refusal(8, 'UnknownError'));
    await expect(move(ann, bob)).rejects.toThrow('not now: UnknownError');
    expect([ann.balance, ann.log, bob.balance]).toEqual([10, [], 0]);
    await move(ann, bob);
    expect(await balances()).toEqual({ Ann: 9, Bob: 1, Cid: 0 });
  });

  it('is sent again when its answer did not come', async () => {
    const [ann, bob] = await makePair();
    for (const fault of ['cutBefore', 'cutAfter'] as const) {
      proxy.next('commitTransaction', fault);
      await move(ann, bob);
    }
    expect([ann.balance, ann.log, bob.balance]).toEqual([8, ['x', 'x'], 2]);
    expect(await balances()).toEqual({ Ann: 8, Bob: 2, Cid: 0 });
  });

  it('has all done again that the server took back', async () => {
    const [ann, bob] = await makePair();
    proxy.next('commitTransaction', refusal(112, 'WriteConflict', 'TransientTransactionError'));
    await move(ann, bob);
    for (const fault of ['cutBefore', 'cutAfter'] as const) {
      proxy.next('insert', fault);
      await move(ann, bob);
    }
    expect([ann.balance, ann.log, bob.balance]).toEqual([7, ['x', 'x', 'x'], 3]);
    expect(await balances()).toEqual({ Ann: 7, Bob: 3, Cid: 0 });
    expect(await Account.count()).toBe(5);
  });

  it('stands when only its write concern was not fulfilled', async () => {
    const [ann, bob] = await makePair();
    const writeConcernError = { code: 79, codeName: 'UnknownReplWriteConcern', errmsg: 'no such mode' };
    proxy.next('commitTransaction', (reply) => ({ ...reply, writeConcernError }));
    await expect(move(ann, bob)).rejects.toThrow('no such mode');
    expect([ann.balance, ann.isModified()]).toEqual([9, false]);
    await Promise.all([ann.save(), bob.save()]);
    expect(await balances()).toEqual({ Ann: 9, Bob: 1, Cid: 0 });
  });
});
