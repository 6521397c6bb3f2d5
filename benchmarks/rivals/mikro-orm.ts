import { defineEntity, EntityCaseNamingStrategy, MikroORM, p } from '@mikro-orm/mongodb';
import type { Open } from '../src/rival.ts';

const Geo = defineEntity({
  name: 'Geo',
  embeddable: true,
  properties: { lat: p.float(), lng: p.float() },
});

const Address = defineEntity({
  name: 'Address',
  embeddable: true,
  properties: { street: p.string(), city: p.string(), zip: p.string(), geo: p.embedded(Geo).object() },
});

const Item = defineEntity({
  name: 'Item',
  embeddable: true,
  properties: { sku: p.string(), qty: p.integer(), price: p.float(), name: p.string() },
});

const Notify = defineEntity({
  name: 'Notify',
  embeddable: true,
  properties: { email: p.boolean(), sms: p.boolean() },
});

const Settings = defineEntity({
  name: 'Settings',
  embeddable: true,
  properties: { theme: p.string(), lang: p.string(), notify: p.embedded(Notify).object() },
});

const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    _id: p.type('ObjectId').primary(),
    name: p.string(),
    email: p.string(),
    age: p.integer(),
    active: p.boolean(),
    score: p.float(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    address: p.embedded(Address).object(),
    tags: p.array(),
    roles: p.array(),
    items: p.embedded(Item).array(),
    bio: p.string(),
    loginCount: p.integer(),
    settings: p.embedded(Settings).object(),
  },
});

/** MikroORM: entities in an identity map, an entity manager for each piece of work, one flush. */
export const open: Open = async (uri) => {
  const orm = await MikroORM.init({
    clientUrl: uri,
    dbName: 'bench',
    entities: [User, Address, Geo, Item, Settings, Notify],
    namingStrategy: EntityCaseNamingStrategy,
    ensureIndexes: false,
  });
  return {
    find: () => orm.em.fork().find(User, {}),
    async save({ email, age, lang }) {
      const em = orm.em.fork();
      const user = await em.findOneOrFail(User, { email });
      user.age = age;
      user.settings.lang = lang;
      await em.flush();
    },
    async insert(inputs) {
      const em = orm.em.fork();
      for (const input of inputs) em.create(User, input);
      await em.flush();
    },
    close: () => orm.close(),
  };
};
