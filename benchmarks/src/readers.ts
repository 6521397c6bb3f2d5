import type { Readers } from './read.ts';

/** An instance of read.ts of the contender's own: modules are told apart by their whole address. */
export async function readersFor(contender: string): Promise<Readers> {
  const address = new URL(`./read.js?for=${encodeURIComponent(contender)}`, import.meta.url);
  return (await import(address.href)) as Readers;
}
