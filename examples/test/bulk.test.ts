import { expect, it, vi } from 'vitest';

it('imports, saves and changes many at once', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await import('../src/bulk.ts');
    expect(log.mock.calls.map((words) => words.join(' ').trim())).toEqual([
      '1000 products',
      '286 saved',
      'failed ValidationError',
      'updated',
      'failed DocumentNotFoundError',
      '284 restocked, 142 removed',
    ]);
  } finally {
    log.mockRestore();
  }
});
