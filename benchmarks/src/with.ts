import { connect } from 'data-bridge';
import { type Collection, MongoClient } from 'mongodb';
import type { Types } from 'mongoose';
import { BridgeBook, connectMongooseBooks } from './book-models.ts';
import type { Author, Book } from './fixtures.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { startCannedServer } from './processes.ts';
import { atLeast, compare, type Row, timesOf } from './report.ts';

/** Two finds and a Map: what a program without a mapper writes. */
async function byHand(books: Collection<Book>, authors: Collection<Author>): Promise<number> {
  const found = await books.find().toArray();
  const ids = new Map(found.map(({ author }) => [author.toHexString(), author]));
  const list = await authors.find({ _id: { $in: [...ids.values()] } }).toArray();
  const byId = new Map(list.map((author) => [author._id.toHexString(), author]));
  const joined = found.map((book) => ({ ...book, author: byId.get(book.author.toHexString()) ?? null }));
  let sum = 0;
  for (const { title, author } of joined) sum += title.length + (author?.name.length ?? 0);
  return sum;
}

async function byBridge(): Promise<number> {
  let sum = 0;
  for (const { title, author } of await BridgeBook.find().with('author'))
    sum += title.length + (author.$doc?.name.length ?? 0);
  return sum;
}

async function byLoad(): Promise<number> {
  let sum = 0;
  for (const { title, author } of await BridgeBook.find())
    sum += title.length + ((await author.$load())?.name.length ?? 0);
  return sum;
}

async function byBridgeLean(): Promise<number> {
  let sum = 0;
  for (const { title, author } of await BridgeBook.find().lean().with('author'))
    sum += title.length + (author?.name.length ?? 0);
  return sum;
}

interface Named {
  readonly _id: Types.ObjectId;
  readonly name: string;
}

/** `find` of 1,000 documents, and of the 200 that they refer to, over loopback; the title of each read, and its author's name. */
export async function findWithAuthors(effort: Effort): Promise<Row[]> {
  const server = await startCannedServer();
  const client = await new MongoClient(server.uri).connect();
  const books = client.db().collection<Book>('books');
  const authors = client.db().collection<Author>('authors');
  const mongoose = await connectMongooseBooks(server.uri);
  const bridge = await connect(server.uri);
  const byMongoose = async (): Promise<number> => {
    let sum = 0;
    for (const { title, author } of await mongoose.books.find().populate<{ author: Named | null }>('author').exec())
      sum += title.length + (author?.name.length ?? 0);
    return sum;
  };
  const byMongooseLean = async (): Promise<number> => {
    let sum = 0;
    const found = await mongoose.books.find().populate<{ author: Named | null }>('author').lean().exec();
    for (const { title, author } of found) sum += title.length + (author?.name.length ?? 0);
    return sum;
  };
  const contenders: Contender[] = [
    { name: 'data-bridge', pass: byBridge },
    { name: 'driver, two finds and a Map', pass: () => byHand(books, authors) },
    { name: 'Mongoose populate', pass: byMongoose },
    { name: 'data-bridge, a loop of $load()', pass: byLoad },
    { name: 'data-bridge lean', pass: byBridgeLean },
    { name: 'Mongoose lean populate', pass: byMongooseLean },
  ];
  try {
    const sums = new Set(await Promise.all(contenders.map(({ pass }) => pass())));
    if (sums.size !== 1) throw new Error(`The clients read different values: ${[...sums].join(', ')}.`);
    const timings = await alternate(contenders, effort);
    const what = "find().with('author') of 1,000 documents";
    const against = (rival: string): Pick<Row, 'what' | 'measured' | 'wall' | 'unit'> => ({
      what: `${what}, against ${rival}`,
      ...compare(timings, rival, 'data-bridge'),
    });
    return [
      { ...against('driver, two finds and a Map'), goal: atLeast(1.43) },
      { ...against('Mongoose populate'), goal: atLeast(3) },
      {
        what: 'the same, lean(), against driver, two finds and a Map',
        ...compare(timings, 'driver, two finds and a Map', 'data-bridge lean'),
      },
      ...timesOf(timings),
    ];
  } finally {
    await Promise.all([client.close(), mongoose.close(), bridge.close()]);
    await server.stop();
  }
}
