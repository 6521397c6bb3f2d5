import { connect } from 'data-bridge';
import { MongoClient } from 'mongodb';
import { BridgeBook, PlainBook } from './book-models.ts';
import { BridgeUser } from './bridge-user.ts';
import type { User } from './fixtures.ts';
import { connectMongoose } from './mongoose-user.ts';
import { readAll } from './read.ts';

/** A client that loads one batch of 1,000 and gives what a program keeps of it. */
export interface Holder {
  readonly load: () => Promise<readonly unknown[]>;
  close(): Promise<void>;
}

type Open = (uri: string) => Promise<Holder>;

async function driver(uri: string, keepOf: (users: User[]) => readonly unknown[]): Promise<Holder> {
  const client = await new MongoClient(uri).connect();
  const collection = client.db().collection<User>('users');
  return { load: async () => keepOf(await collection.find().toArray()), close: () => client.close() };
}

async function mongoose(uri: string): Promise<Holder> {
  const { users, close } = await connectMongoose(uri);
  return { load: () => users.find().exec(), close };
}

async function bridge(uri: string, keepOf: (users: BridgeUser[]) => readonly unknown[]): Promise<Holder> {
  const connection = await connect(uri);
  return { load: async () => keepOf(await BridgeUser.find()), close: () => connection.close() };
}

/** Of a model of their own, with documents that were not read. */
async function unread(uri: string, find: () => PromiseLike<readonly unknown[]>): Promise<Holder> {
  const connection = await connect(uri);
  return { load: async () => find(), close: () => connection.close() };
}

function withCopies(users: User[]): readonly unknown[] {
  return users.map((user) => {
    const { _id, ...fields } = user;
    return { user, copy: structuredClone(fields) };
  });
}

/** What is kept of each batch, by name. Names that end alike are compared with one another. */
export const holders = {
  'plain objects': (uri) => driver(uri, (users) => users),
  'plain objects + structuredClone': (uri) => driver(uri, withCopies),
  'Mongoose documents': mongoose,
  'documents, unread': (uri) => bridge(uri, (users) => users),
  'documents, all read': (uri) =>
    bridge(uri, (users) => {
      readAll(users);
      return users;
    }),
  'one string of each': (uri) => bridge(uri, (users) => users.map((user) => user.email)),
  'documents with a reference, unread': (uri) => unread(uri, () => BridgeBook.find()),
  'documents with an id instead, unread': (uri) => unread(uri, () => PlainBook.find()),
  'one document of each batch': (uri) => bridge(uri, (users) => users.slice(500, 501)),
} satisfies Record<string, Open>;

export type HolderName = keyof typeof holders;

export function isHolderName(name: string | undefined): name is HolderName {
  return name !== undefined && Object.hasOwn(holders, name);
}
