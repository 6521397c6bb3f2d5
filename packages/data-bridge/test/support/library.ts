import { z } from 'zod';
import { backRef, model, ref } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';

/** Models that refer to each other in every way: alone, in lists, in objects, elements, records, tuples and unions. */
export class Publisher extends model('publishers', { name: z.string(), owner: ref<Author>(() => Author).nullable() }) {
  async ownersName() {
    return (await this.owner?.$load())?.name;
  }
}

export class Author extends model(
  'authors',
  {
    name: z.string(),
    publisher: ref<Publisher>(() => Publisher).optional(),
    mentor: ref<Author>(() => Author).optional(),
  },
  {
    backRefs: {
      books: backRef<Book>(() => Book, 'author'),
      edited: backRef<Book>(() => Book, 'editors'),
      pupils: backRef<Author>(() => Author, 'mentor'),
    },
  },
) {
  get label() {
    return `~${this.name}`;
  }

  async published() {
    return Book.find({ author: this }).with('author.publisher');
  }
}

export class Book extends model('books', {
  title: z.string(),
  year: z.int().default(2000),
  author: ref<Author>(() => Author),
  editors: ref<Author>(() => Author).array(),
  lines: z
    .array(
      z.object({
        product: zref<Product>(() => Product),
        qty: z.int(),
        made: z.object({ country: zref<Country>(() => Country).optional() }).optional(),
      }),
    )
    .default([]),
  places: z
    .record(
      z.string(),
      zref<Country>(() => Country),
    )
    .default({}),
  pair: z.tuple([zref<Author>(() => Author), z.int()]).optional(),
  part: z
    .union([
      z.object({ kind: z.literal('product'), of: zref<Product>(() => Product) }),
      z.object({ kind: z.literal('text'), of: z.string() }),
    ])
    .optional(),
}) {
  async mine() {
    return (await this.author.$load())?.label;
  }
}

export class Product extends model(
  'products',
  { sku: z.string(), maker: ref<Publisher>(() => Publisher).optional() },
  { backRefs: { sold: backRef<Book>(() => Book, 'lines.product') } },
) {}

export class Country extends model('countries', { _id: z.string().length(2), name: z.string() }) {}
