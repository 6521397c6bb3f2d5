import mongoose, { type Model } from 'mongoose';
import type { User } from './fixtures.ts';

const schema = new mongoose.Schema<User>(
  {
    name: String,
    email: String,
    age: Number,
    active: Boolean,
    score: Number,
    createdAt: Date,
    updatedAt: Date,
    address: { street: String, city: String, zip: String, geo: { lat: Number, lng: Number } },
    tags: [String],
    roles: [String],
    items: [{ _id: false, sku: String, qty: Number, price: Number, name: String }],
    bio: String,
    loginCount: Number,
    settings: { theme: String, lang: String, notify: { email: Boolean, sms: Boolean } },
  },
  { strict: true, versionKey: false, autoCreate: false, autoIndex: false, collection: 'users' },
);

/** The main fixture as a Mongoose model, on a connection of its own. */
export async function connectMongoose(uri: string): Promise<{ users: Model<User>; close(): Promise<void> }> {
  const connection = await mongoose.createConnection(uri).asPromise();
  return { users: connection.model<User>('User', schema), close: () => connection.close() };
}
