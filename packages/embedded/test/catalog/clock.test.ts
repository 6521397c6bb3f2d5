import { Timestamp } from 'bson';
import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/catalog/clock.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';

describe('the clock of the server', () => {
  it('goes on with every change, and stands between them', () => {
    const clock = new Clock(new MemoryStorage().state);
    let last = clock.operationTime;
    for (let turn = 0; turn < 1_000; turn += 1) {
      expect(clock.operationTime).toEqual(last);
      const next = clock.tick();
      expect(next.greaterThan(last)).toBe(true);
      last = next;
    }
  });

  it('tells the time of day', () => {
    const seconds = new Clock(new MemoryStorage().state).tick().getHighBitsUnsigned();
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
  });

  it('goes on after a restart, though the clock of the machine was put back', () => {
    const { state } = new MemoryStorage();
    const before = new Clock(state);
    const ahead = new Timestamp({ t: Math.floor(Date.now() / 1000) + 3_600, i: 7 });
    before.witness(ahead);
    const last = before.tick();
    before.save();
    const after = new Clock(state);
    expect(after.operationTime).toEqual(last);
    expect(after.tick().greaterThan(last)).toBe(true);
  });

  it('is not led into a far future', () => {
    const clock = new Clock(new MemoryStorage().state);
    const before = clock.clusterTime;
    clock.witness(new Timestamp({ t: 0xffff_ffff, i: 1 }));
    expect(clock.clusterTime).toEqual(before);
  });
});
