import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { randomCommand, Server } from '../support/random-commands.ts';

describe('the durable store', () => {
  it('answers as the one in memory does, after a restart too', async () => {
    const history = fc.array(fc.oneof({ weight: 25, arbitrary: randomCommand }, fc.constant('restart' as const)), {
      minLength: 5,
      maxLength: 40,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const path = mkdtempSync(join(tmpdir(), 'embedded-'));
        const memory = new Server(new MemoryStorage());
        let storage = await LmdbStorage.open(path);
        let durable = new Server(storage);
        const restart = async (): Promise<void> => {
          durable.close();
          await storage.close();
          storage = await LmdbStorage.open(path);
          durable = new Server(storage);
        };
        try {
          for (const step of steps) {
            if (step === 'restart') {
              // Cursors do not live on: the reading of one is the last answer to be compared.
              await restart();
              memory.close();
            } else {
              expect(durable.run(step)).toEqual(memory.run(step));
            }
          }
          await restart();
          expect(durable.contents()).toEqual(memory.contents());
          for (const server of [durable, memory]) await server.expectConsistent();
        } finally {
          await storage.close();
          rmSync(path, { recursive: true });
        }
      }),
      { numRuns: caseCount(60) },
    );
  });
});
