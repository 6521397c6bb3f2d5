import { expect, it, vi } from 'vitest';

/** What each program prints, line by line. */
const programs = {
  'first-steps': ['{"$push":{"tags":{"$each":["admin"]}},"$set":{"address.city":"Bergen"}}'],
  bulk: [
    '1000 products',
    '286 saved',
    'failed ValidationError',
    'updated',
    'failed DocumentNotFoundError',
    '284 restocked, 142 removed',
  ],
  pages: [
    'first of 10: Post 7, Post 2, Post 9, Post 4',
    'second: Post 6, Post 1, Post 8, Post 3',
    'third: Post 5, Post 0, the last',
    'back: On top, Post 2, Post 9, Post 4',
    '25 points',
    '35 points',
  ],
  streaming: ['7963 bytes', 'enough after 250'],
  'two-editors': [
    'Mongoose: stock 7, ink 1',
    'data-bridge: stock was 10, mine is 7, theirs 7',
    'data-bridge: stock 4, ink 5',
  ],
  aggregation: ['ink: 2 for 8', 'pen: 6 for 8', '2 sales in Rome', '1 large, by ann and bob', '0 large'],
} as const;

it.each(Object.entries(programs))('%s prints what it says', async (name, lines) => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await import(`../src/${name}.ts`);
    expect(log.mock.calls.map((words) => words.join(' ').trim())).toEqual(lines);
  } finally {
    log.mockRestore();
  }
});
