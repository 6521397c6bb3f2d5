import type { User } from './fixtures.ts';

/**
 * The work of a program that reads documents. Every contender loads its own instance of this module (`readersFor`): the
 * accesses below then see the documents of one client only, as they do in a program that uses one client.
 */
export function readThree(users: readonly Readonly<User>[]): number {
  let sum = 0;
  for (const user of users) sum += user.name.length + user.email.length + user.age;
  return sum;
}

/** Reads the fifteen fields of each. */
export function readAll(users: readonly Readonly<User>[]): number {
  let sum = 0;
  for (const user of users) sum += user._id.id.length + readOne(user);
  return sum;
}

/** Reads all but `_id`, which not every mapper has as an ObjectId. */
export function readFields(users: readonly Readonly<Omit<User, '_id'>>[]): number {
  let sum = 0;
  for (const user of users) sum += readOne(user);
  return sum;
}

function readOne(user: Readonly<Omit<User, '_id'>>): number {
  return (
    user.name.length +
    user.email.length +
    user.age +
    (user.active ? 1 : 0) +
    user.score +
    user.createdAt.getTime() +
    user.updatedAt.getTime() +
    user.address.city.length +
    user.tags.length +
    user.roles.length +
    user.items.length +
    user.bio.length +
    user.loginCount +
    user.settings.lang.length
  );
}

export type Readers = {
  readonly readThree: typeof readThree;
  readonly readAll: typeof readAll;
  readonly readFields: typeof readFields;
};
