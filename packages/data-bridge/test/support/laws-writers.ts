import { setOwn } from '../../src/bson/copy.ts';
import { isMembers, type Members, mutated, randomValue } from './laws-documents.ts';
import type { Random } from './laws-random.ts';

/** Something that one writer does to a member of the document or of an object in it. */
export interface Operation {
  /** The keys from the document to the object that holds the member. */
  readonly parents: readonly string[];
  readonly key: string;
  /** `undefined` removes the member. */
  readonly value: unknown;
}

/** What I do, and what another writer does, to one document: no operation overlaps another. */
export interface Work {
  readonly mine: Operation[];
  readonly theirs: Operation[];
}

/** Deals the members of a document, whole or part by part, to me, to the other writer or to nobody. */
export function deal(random: Random, document: Members, another: boolean): Work {
  const work: Work = { mine: [], theirs: [] };
  const share = random.pick([0.02, 0.05, 0.25]);
  const odd = random.chance(0.3);
  let serial = 0;

  const owner = (): Operation[] | undefined => {
    const dice = random.next();
    if (dice < share) return work.mine;
    return another && dice < share + 0.25 ? work.theirs : undefined;
  };
  const dealMember = (parents: readonly string[], key: string, value: unknown) => {
    if (isMembers(value) && random.chance(0.7)) dealMembers([...parents, key], value);
    else owner()?.push({ parents, key, value: random.chance(0.2) ? undefined : mutated(random, value) });
  };
  const addMembers = (operations: Operation[], parents: readonly string[], letter: string) => {
    for (let n = 1 + random.below(2); n > 0; n -= 1) {
      const prefix = odd && random.chance(0.2) ? random.pick(['$', '', '1', 'x.']) : '';
      const suffix = odd && random.chance(0.2) ? '.' : '';
      operations.push({ parents, key: `${prefix}${letter}${suffix}${serial++}`, value: randomValue(random, 1) });
    }
  };
  const dealMembers = (parents: readonly string[], members: Members) => {
    for (const key of Object.keys(members)) {
      if (parents.length > 0 || key !== '_id') dealMember(parents, key, members[key]);
    }
    if (random.chance(Math.max(0.05, share))) addMembers(work.mine, parents, 'm');
    if (another && random.chance(0.3)) addMembers(work.theirs, parents, 'o');
  };
  dealMembers([], document);
  return work;
}

/** Does the operations to a document in place. Each value is made anew, since several documents take it. */
export function perform(document: Members, operations: readonly Operation[], copy: (value: unknown) => unknown): void {
  for (const { parents, key, value } of operations) {
    const holder = parents.reduce<unknown>((members, parent) => (members as Members)[parent], document) as Members;
    if (value === undefined) delete holder[key];
    else setOwn(holder, key, copy(value));
  }
}

const wreckage: readonly (() => unknown)[] = [
  () => null,
  () => 5,
  () => 'x',
  () => [],
  () => {},
  () => [1],
  () => [{}],
  () => [[1]],
  () => ({}),
  () => ({ 0: 1 }),
  () => ({ p: 1 }),
];

/** Puts values of other shapes in the place of containers, at any depth. Gives the names of the fields that it hit. */
export function wreck(random: Random, document: Members): Set<string> {
  const names = Object.keys(document).filter((name) => isContainer(document[name]) && random.chance(0.4));
  for (const name of names) wreckBelow(random, document, name);
  return new Set(names);
}

function wreckBelow(random: Random, holder: object, key: string): void {
  const value = (holder as Members)[key];
  const below = isContainer(value) ? Object.keys(value).filter((each) => isContainer((value as Members)[each])) : [];
  if (isContainer(value) && below.length > 0 && random.chance(0.5)) wreckBelow(random, value, random.pick(below));
  else setOwn(holder, key, random.pick(wreckage)());
}

function isContainer(value: unknown): value is object {
  return Array.isArray(value) || isMembers(value);
}
