import { MongoClient } from 'mongodb';
import Papr, { schema, types } from 'papr';
import type { Open } from '../src/rival.ts';

const required = { required: true } as const;

const userSchema = schema({
  name: types.string(required),
  email: types.string(required),
  age: types.number(required),
  active: types.boolean(required),
  score: types.number(required),
  createdAt: types.date(required),
  updatedAt: types.date(required),
  address: types.object(
    {
      street: types.string(required),
      city: types.string(required),
      zip: types.string(required),
      geo: types.object({ lat: types.number(required), lng: types.number(required) }, required),
    },
    required,
  ),
  tags: types.array(types.string(required), required),
  roles: types.array(types.string(required), required),
  items: types.array(
    types.object(
      {
        sku: types.string(required),
        qty: types.number(required),
        price: types.number(required),
        name: types.string(required),
      },
      required,
    ),
    required,
  ),
  bio: types.string(required),
  loginCount: types.number(required),
  settings: types.object(
    {
      theme: types.string(required),
      lang: types.string(required),
      notify: types.object({ email: types.boolean(required), sms: types.boolean(required) }, required),
    },
    required,
  ),
});

/** Papr: plain objects; the program says what changed, and the server validates. */
export const open: Open = async (uri) => {
  const client = await new MongoClient(uri).connect();
  const papr = new Papr();
  const User = papr.model('users', userSchema);
  papr.initialize(client.db());
  return {
    find: () => User.find({}),
    async save({ email, age, lang }) {
      const user = await User.findOne({ email });
      if (user === null) throw new Error('There is no user.');
      await User.updateOne({ _id: user._id }, { $set: { age, 'settings.lang': lang } });
    },
    insert: (inputs) => User.insertMany([...inputs]),
    close: () => client.close(),
  };
};
