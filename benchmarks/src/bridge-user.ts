import { model } from 'data-bridge';
import { z } from 'zod';

const fields = {
  name: z.string(),
  email: z.string(),
  age: z.number(),
  active: z.boolean(),
  score: z.number(),
  createdAt: z.date(),
  updatedAt: z.date(),
  address: z.object({
    street: z.string(),
    city: z.string(),
    zip: z.string(),
    geo: z.object({ lat: z.number(), lng: z.number() }),
  }),
  tags: z.array(z.string()),
  roles: z.array(z.string()),
  items: z.array(z.object({ sku: z.string(), qty: z.number(), price: z.number(), name: z.string() })),
  bio: z.string(),
  loginCount: z.number(),
  settings: z.object({
    theme: z.string(),
    lang: z.string(),
    notify: z.object({ email: z.boolean(), sms: z.boolean() }),
  }),
};

/** The main fixture as a model of data-bridge. */
export class BridgeUser extends model('users', fields) {}

/** The same, each save guarded by what it changes, or by a counter. */
export class GuardedUser extends model('users', fields, { concurrency: 'fields' }) {}
export class VersionedUser extends model('users', fields, { concurrency: 'version' }) {}

/** The same with a history, in a collection of its own. */
export class RecordedUser extends model('recorded', fields, { history: true }) {}
