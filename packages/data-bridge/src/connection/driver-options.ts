/** What is called instead of giving an option. */
const INSTEAD: Readonly<Record<string, string>> = {
  cascade: 'save(), create() and saveAll() do',
  projection: `find(…).select('name') and omit('name') say what is loaded`,
  explain: 'find(…).explain() asks the server',
  raw: 'find(…).lean() gives plain objects',
};

/** How an error about a refused option ends: with what to do instead. */
export function insteadOf(option: string): string {
  return Object.hasOwn(INSTEAD, option) ? `: ${INSTEAD[option]}.` : '.';
}

/**
 * The options that the driver does not know, of those that were given to it, as they were written: it tells of them in
 * small letters.
 */
export function unknownOptions(message: string, given: readonly string[]): string[] {
  const [, list = ''] = /^options? (.+) (?:is|are) not supported$/.exec(message) ?? [];
  const unknown = list.split(', ');
  return given.filter((name) => unknown.includes(name.toLowerCase()));
}
