import { expect, it, vi } from 'vitest';

it('prints the update that the README shows', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await import('../src/first-steps.ts');
    expect(log.mock.calls).toEqual([['{"$push":{"tags":{"$each":["admin"]}},"$set":{"address.city":"Bergen"}}']]);
  } finally {
    log.mockRestore();
  }
});
