import { MongoClient } from 'mongodb';
import { defineContract, field, model, valueObject } from '@prisma-next/mongo/contract-builder';
import mongo from '@prisma-next/mongo/runtime';
import type { Fields, Open } from '../src/rival.ts';

const Geo = valueObject('Geo', { fields: { lat: field.double(), lng: field.double() } });

const Address = valueObject('Address', {
  fields: { street: field.string(), city: field.string(), zip: field.string(), geo: field.valueObject(Geo) },
});

const Item = valueObject('Item', {
  fields: { sku: field.string(), qty: field.int32(), price: field.double(), name: field.string() },
});

const Notify = valueObject('Notify', { fields: { email: field.bool(), sms: field.bool() } });

const Settings = valueObject('Settings', {
  fields: { theme: field.string(), lang: field.string(), notify: field.valueObject(Notify) },
});

const User = model('User', {
  collection: 'users',
  fields: {
    _id: field.objectId(),
    name: field.string(),
    email: field.string(),
    age: field.int32(),
    active: field.bool(),
    score: field.double(),
    createdAt: field.date(),
    updatedAt: field.date(),
    address: field.valueObject(Address),
    tags: field.string().many(),
    roles: field.string().many(),
    items: field.valueObject(Item).many(),
    bio: field.string(),
    loginCount: field.int32(),
    settings: field.valueObject(Settings),
  },
});

const contract = defineContract({ valueObjects: { Geo, Address, Item, Notify, Settings }, models: { User } });

/** What is used of its collection. Typed by hand: a contract that is not generated has no types of value objects. */
interface Users {
  all(): { toArray(): Promise<Fields[]> };
  where(filter: { readonly _id: unknown } | { readonly email: string }): Filtered;
  createAll(inputs: readonly Fields[]): { toArray(): Promise<unknown[]> };
}

interface Filtered {
  first(): Promise<(Fields & { readonly _id: unknown }) | null>;
  updateCount(change: (fields: Accessor) => readonly unknown[]): Promise<number>;
}

interface Accessor {
  (path: 'settings.lang'): { set(value: string): unknown };
  readonly age: { set(value: number): unknown };
}

/** Prisma Next: plain objects through the codecs of a contract; the program says what changed. */
export const open: Open = async (uri) => {
  const client = await new MongoClient(uri).connect();
  const db = mongo({ contract, mongoClient: client, dbName: 'bench' });
  const users = db.orm.users as unknown as Users;
  return {
    find: () => users.all().toArray(),
    async save({ email, age, lang }) {
      const user = await users.where({ email }).first();
      if (user === null) throw new Error('There is no user.');
      // Of its updates the one that reads nothing back.
      await users
        .where({ _id: user._id })
        .updateCount((fields) => [fields.age.set(age), fields('settings.lang').set(lang)]);
    },
    insert: (inputs) => users.createAll(inputs).toArray(),
    async close() {
      await db.close();
      await client.close();
    },
  };
};
