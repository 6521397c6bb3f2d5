import { model, withActor } from 'data-bridge';
import { z } from 'zod';
import type { Terminal } from './terminal.ts';

/** What is to be known of a country before one goes there; who wrote it is kept. */
class Advice extends model(
  'advice',
  { _id: z.string().length(3), text: z.string(), tags: z.array(z.string()) },
  { history: true },
) {}

/** Three people write, one of them a mistake; the history tells whose, and takes it back. */
export async function lookBack(terminal: Terminal): Promise<void> {
  terminal.heading('8  Who changed it, and back again');
  // case: an earlier run left it in the folder, and its history, too.
  await Advice.deleteOne({ _id: 'ISL' });
  const advice = await withActor('Ann', () => Advice.create({ _id: 'ISL', text: 'Take a coat.', tags: ['weather'] }));
  const written = advice.$revision ?? 0;
  advice.tags.push('coat');
  await withActor('Bob', () => advice.save());
  advice.text = 'Take a boat.';
  await withActor('Cem', () => advice.save());

  const { items } = await advice.$history({ size: 3 });
  for (const { actor, kind, changes } of items.toReversed())
    terminal.result(
      `${actor}, ${kind}: ${changes?.map(({ path, to }) => `${path} = ${JSON.stringify(to)}`).join(', ')}`,
    );
  const before = await Advice.asOf('ISL', written);
  terminal.result(`As Ann wrote it: ${JSON.stringify(before?.text)} ${JSON.stringify(before?.tags)}`);
  await advice.$revert(written + 1);
  terminal.result(`After $revert() to what Bob saved: ${JSON.stringify(advice.text)} ${JSON.stringify(advice.tags)}`);
}
