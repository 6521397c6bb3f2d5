import { connect, model } from 'data-bridge';
import { z } from 'zod';

/* A list that clients leaf through while others write: pages by tokens, forward and back, and all of it as a stream. */

class Post extends model('posts', {
  title: z.string(),
  score: z.int(),
  open: z.boolean().default(true),
}) {}

const db = await connect('embedded:memory', { pageSecret: 'a secret of the application' });
await Post.insertMany(Array.from({ length: 10 }, (_, i) => ({ title: `Post ${i}`, score: (i * 7) % 5 })));

const best = Post.find({ open: true }).sort({ score: -1 });
const titles = (posts: readonly Post[]): string => posts.map(({ title }) => title).join(', ');

// What a request gives: some documents, and tokens to ask for the ones around them.
const first = await best.page({ size: 4, total: true });
console.log(`first of ${first.total}: ${titles(first.items)}`);

// Others insert and delete meanwhile. Nothing is met twice, and nothing that stays is left out.
await Post.create({ title: 'On top', score: 9 });
const [gone] = first.items;
await gone?.delete();

const second = await best.page({ size: 4, after: first.next });
console.log(`second: ${titles(second.items)}`);
const third = await best.page({ size: 4, after: second.next });
console.log(`third: ${titles(third.items)}, ${third.next === null ? 'the last' : 'more'}`);
const back = await best.page({ size: 4, before: second.previous });
console.log(`back: ${titles(back.items)}`);

// All of them, one after another: the cursor is closed when the loop ends, by `break` too.
let sum = 0;
for await (const post of best.batchSize(3)) {
  if (post.score === 0) break;
  sum += post.score;
}
console.log(`${sum} points`);

// Several at a time, each awaited; the first error ends it.
await best.select('score').forEach(
  async (post) => {
    post.score += 1;
    await post.save();
  },
  { concurrency: 4 },
);
console.log(`${await Post.find().sum('score')} points`);
await db.close();
