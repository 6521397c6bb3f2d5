import { expect, it, vi } from 'vitest';

it('prints the update that the README shows', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await import('../src/first-steps.ts');
    expect(log.mock.calls).toEqual([['{"$set":{"address.city":"Bergen"},"$push":{"tags":{"$each":["admin"]}}}']]);
  } finally {
    log.mockRestore();
  }
});
