import { model, objectId, ref } from 'data-bridge';
import mongoose, { type Model, type Types } from 'mongoose';
import { z } from 'zod';

const fields = {
  title: z.string(),
  year: z.number(),
  pages: z.number(),
  price: z.number(),
  isbn: z.string(),
  publishedAt: z.date(),
  tags: z.array(z.string()),
};

export class BridgeAuthor extends model('authors', { name: z.string(), country: z.string(), born: z.number() }) {}

/** Books that refer to their authors. */
export class BridgeBook extends model('books', { ...fields, author: ref<BridgeAuthor>(() => BridgeAuthor) }) {}

/** The same without a reference: there the author is an id. */
export class PlainBook extends model('books', { ...fields, author: objectId() }) {}

interface MongooseAuthor {
  _id: Types.ObjectId;
  name: string;
  country: string;
  born: number;
}

interface MongooseBook {
  _id: Types.ObjectId;
  title: string;
  author: Types.ObjectId;
  year: number;
  pages: number;
  price: number;
  isbn: string;
  publishedAt: Date;
  tags: string[];
}

const options = { strict: true, versionKey: false, autoCreate: false, autoIndex: false } as const;
const authorSchema = new mongoose.Schema<MongooseAuthor>(
  { name: String, country: String, born: Number },
  { ...options, collection: 'authors' },
);
const bookSchema = new mongoose.Schema<MongooseBook>(
  {
    title: String,
    author: { type: mongoose.Schema.Types.ObjectId, ref: 'Author' },
    year: Number,
    pages: Number,
    price: Number,
    isbn: String,
    publishedAt: Date,
    tags: [String],
  },
  { ...options, collection: 'books' },
);

/** The same as Mongoose models, on a connection of their own. */
export async function connectMongooseBooks(
  uri: string,
): Promise<{ books: Model<MongooseBook>; close(): Promise<void> }> {
  const connection = await mongoose.createConnection(uri).asPromise();
  connection.model<MongooseAuthor>('Author', authorSchema);
  return { books: connection.model<MongooseBook>('Book', bookSchema), close: () => connection.close() };
}
