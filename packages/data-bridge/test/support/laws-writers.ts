import { setOwn } from '../../src/bson/plain-object.ts';
import {
  identity,
  isMembers,
  keyOfElements,
  type Members,
  mutated,
  newElement,
  randomValue,
} from './laws-documents.ts';
import type { Random } from './laws-random.ts';

/** A step of a path: a member, or the element with this identity. */
export type Step = string | { readonly key: string; readonly id: string };

/** Something that one writer does to a member of the document, or of an object or an element in it. */
interface MemberOperation {
  /** The steps from the document to the object that holds the member. */
  readonly parents: readonly Step[];
  readonly key: string;
  /** `undefined` removes the member. */
  readonly value: unknown;
}

/** Something that one writer does to an array whose elements have identity. */
interface ArrayOperation {
  /** The steps from the document to the array. */
  readonly parents: readonly Step[];
  /** What the array is then. `copy` makes a value of the writer's own. */
  readonly change: (elements: readonly unknown[], copy: Copy) => unknown[];
}

export type Operation = MemberOperation | ArrayOperation;

type Copy = (value: unknown) => unknown;

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
  const dealMember = (parents: readonly Step[], name: string, value: unknown) => {
    const elements = keyOfElements(name, value);
    if (isMembers(value) && random.chance(0.7)) dealMembers([...parents, name], value);
    else if (elements !== null && random.chance(0.8)) dealElements([...parents, name], elements, value as Members[]);
    else owner()?.push({ parents, key: name, value: random.chance(0.2) ? undefined : mutated(random, value) });
  };
  const dealElements = (parents: readonly Step[], key: string, elements: readonly Members[]) => {
    const order = random.chance(share) ? reordered(random, key, elements) : null;
    for (const element of elements) {
      const id = identity(element[key]);
      if (random.chance(0.7)) dealMembers([...parents, { key, id }], element, key);
      else {
        const remover = owner();
        // In an array that I put in order I do nothing else to whole elements: then the order is clear.
        if (remover !== work.mine || order === null)
          remover?.push({ parents, change: (all) => all.filter((each) => identity((each as Members)[key]) !== id) });
      }
    }
    const add = (operations: Operation[]) => {
      const fresh = newElement(random, key, serial++);
      operations.push({ parents, change: (all, copy) => [...all, copy(fresh)] });
    };
    if (order === null && random.chance(Math.max(0.1, share))) add(work.mine);
    if (another && random.chance(0.2)) add(work.theirs);
    // The order that I leave counts, so it comes last.
    if (order !== null) work.mine.push({ parents, change: order });
    else if (another && random.chance(0.1)) work.theirs.push({ parents, change: (all) => all.toReversed() });
  };
  const addMembers = (operations: Operation[], parents: readonly Step[], letter: string) => {
    for (let n = 1 + random.below(2); n > 0; n -= 1) {
      const prefix = odd && random.chance(0.2) ? random.pick(['$', '', '1', 'x.']) : '';
      const suffix = odd && random.chance(0.2) ? '.' : '';
      operations.push({ parents, key: `${prefix}${letter}${suffix}${serial++}`, value: randomValue(random, 1) });
    }
  };
  const dealMembers = (parents: readonly Step[], members: Members, identifier = '_id') => {
    for (const key of Object.keys(members)) {
      if (parents.length === 0 ? key !== '_id' : key !== identifier) dealMember(parents, key, members[key]);
    }
    if (random.chance(Math.max(0.05, share))) addMembers(work.mine, parents, 'm');
    if (another && random.chance(0.3)) addMembers(work.theirs, parents, 'o');
  };
  dealMembers([], document);
  return work;
}

/** Puts the elements of the original, and a new one of mine among them, in an order of their own; all others after them. */
function reordered(random: Random, key: string, elements: readonly Members[]): ArrayOperation['change'] {
  const fresh = random.chance(0.5) ? [newElement(random, key, 1000 + random.below(1000))] : [];
  const order = [...elements, ...fresh].map((element) => ({ id: identity(element[key]), place: random.next() }));
  const inOrder = order.toSorted((a, b) => a.place - b.place);
  if (inOrder.every((each, i) => each === order[i])) return (all, copy) => [...all, ...fresh.map(copy)];
  const places = new Map(order.map(({ id, place }) => [id, place]));
  const placeOf = (element: unknown) => places.get(identity((element as Members)[key])) ?? 1;
  return (all, copy) => [...all, ...fresh.map(copy)].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Does the operations to a document in place. Each value is made anew, since several documents take it. */
export function perform(document: Members, operations: readonly Operation[], copy: Copy): void {
  for (const operation of operations) {
    const holder = operation.parents.reduce<unknown>(take, document);
    if ('change' in operation) {
      const elements = holder as unknown[];
      elements.splice(0, elements.length, ...operation.change(elements, copy));
    } else if (operation.value === undefined) delete (holder as Members)[operation.key];
    else setOwn(holder as Members, operation.key, copy(operation.value));
  }
}

function take(holder: unknown, step: Step): unknown {
  if (typeof step === 'string') return (holder as Members)[step];
  return (holder as Members[]).find((element) => identity(element[step.key]) === step.id);
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
