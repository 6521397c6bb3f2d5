import type { StandardSchemaV1 } from '@standard-schema/spec';
import { AsyncLocalStorage } from 'node:async_hooks';
import { UsageError } from './errors.ts';
import { currentAuthorship, runInside } from './definition/authorship.ts';
import { extension } from './model/extension.ts';
import { writeOnce } from './schema/field-marks.ts';
import { typeName } from './schema/bson-types.ts';

export { withActor } from './definition/authorship.ts';

/*
 * Extensions that come with the package: soft deletion, tenants, and who wrote a document.
 */

/** A schema of one type, that also takes the values in `also`. It needs no library. */
function fieldOf<Input, Output>(
  bsonType: string,
  isOne: (value: unknown) => boolean,
  { also = [], fallback }: { readonly also?: readonly unknown[]; readonly fallback?: Output } = {},
): StandardSchemaV1<Input, Output> {
  const jsonSchema = (): Record<string, unknown> => ({ bsonType: also.includes(null) ? [bsonType, 'null'] : bsonType });
  const standard: StandardSchemaV1.Props<Input, Output> = {
    version: 1,
    vendor: 'data-bridge',
    validate(value) {
      if (value === undefined && fallback !== undefined) return { value: fallback };
      if (isOne(value) || also.includes(value)) return { value: value as Output };
      return { issues: [{ message: `expected a ${bsonType}, got ${typeName(value)}` }] };
    },
  };
  // Not part of the specification: libraries that can describe a schema have it, too.
  return { '~standard': Object.assign(standard, { jsonSchema: { input: jsonSchema, output: jsonSchema } }) };
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isDate = (value: unknown): boolean => value instanceof Date && !Number.isNaN(value.getTime());

/**
 * Soft deletion: `delete()` writes the time into `deletedAt`, and documents that have one are not found any more.
 *
 * ```ts
 * class Post extends model('posts', { title: z.string(), ...softDelete.fields }, { extensions: [softDelete] }) {}
 * await post.delete();                            // sets deletedAt
 * await Post.find().unscoped('softDelete');       // finds it
 * await post.delete({ hard: true });              // deletes it
 * ```
 */
export const softDelete = extension({
  name: 'softDelete',
  fields: {
    deletedAt: fieldOf<Date | null | undefined, Date | null>('date', isDate, { also: [null], fallback: null }),
  },
  scope: () => ({ deletedAt: null }),
  remove: () => ({ deletedAt: new Date() }),
});

/** On Node 20 its first use slows every promise of the process, so only a call that names a tenant uses it. */
const tenants = new AsyncLocalStorage<string>();

/**
 * Runs code for a tenant, also after it has waited.
 *
 * @param id the tenant, as a text that is not empty.
 * @returns what the code gives; of a query what that gives, which is sent at once.
 */
export function withTenant<R>(id: string, code: () => PromiseLike<R>): Promise<R>;
export function withTenant<R>(id: string, code: () => R): R;
export function withTenant(id: string, code: () => unknown): unknown {
  if (typeof id !== 'string' || id === '' || typeof code !== 'function')
    throw new UsageError('withTenant() takes a text that is not empty, and a function.');
  return runInside(tenants, id, code);
}

function currentTenant(): string {
  const id = tenants.getStore();
  if (id === undefined)
    throw new UsageError(
      "There is no tenant: call this inside of withTenant(id, …), or leave the scope out by { unscoped: ['tenant'] }.",
    );
  return id;
}

/**
 * Tenants: a document belongs to the tenant for whom it was stored, by `withTenant`, and is there for no other. Outside of any
 * tenant every call throws.
 *
 * ```ts
 * class Post extends model('posts', { title: z.string(), ...tenant.fields }, { extensions: [tenant] }) {}
 * await withTenant('acme', () => Post.create({ title: 'Hello' }));
 * await withTenant('other', () => Post.count()); // 0
 * ```
 */
export const tenant = extension({
  name: 'tenant',
  fields: { tenant: writeOnce(fieldOf<string | undefined, string>('string', isText)) },
  scope: () => ({ tenant: currentTenant() }),
  stamp: (kind) => (kind === 'insert' ? { tenant: currentTenant() } : {}),
});

/**
 * Notes who wrote a document, and when: `createdBy`, `createdAt`, `updatedBy` and `updatedAt`. `withActor` names the author; outside
 * of it only the times are written.
 *
 * ```ts
 * class Post extends model('posts', { title: z.string(), ...audit.fields }, { extensions: [audit] }) {}
 * const post = await withActor('ann', () => Post.create({ title: 'Hello' }));
 * post.createdBy; // 'ann'
 * ```
 */
export const audit = extension({
  name: 'audit',
  fields: {
    createdBy: writeOnce(fieldOf<string | undefined, string | undefined>('string', isText, { also: [undefined] })),
    createdAt: writeOnce(fieldOf<Date | undefined, Date | undefined>('date', isDate, { also: [undefined] })),
    updatedBy: fieldOf<string | undefined, string | undefined>('string', isText, { also: [undefined] }),
    updatedAt: fieldOf<Date | undefined, Date | undefined>('date', isDate, { also: [undefined] }),
  },
  stamp(kind) {
    const { actor } = currentAuthorship();
    const now = new Date();
    const updated = { updatedBy: actor, updatedAt: now };
    return kind === 'update' ? updated : { createdBy: actor, createdAt: now, ...updated };
  },
});
