import { BSON, type Document, ObjectId } from 'mongodb';

/** How many documents each set holds: one batch of a `find`. */
export const setSize = 1000;

/** The main fixture: 15 fields, nested objects and arrays, about 1 KB of BSON. */
export interface User {
  readonly _id: ObjectId;
  name: string;
  email: string;
  age: number;
  active: boolean;
  score: number;
  createdAt: Date;
  updatedAt: Date;
  address: { street: string; city: string; zip: string; geo: { lat: number; lng: number } };
  tags: string[];
  roles: string[];
  items: { sku: string; qty: number; price: number; name: string }[];
  bio: string;
  loginCount: number;
  settings: { theme: string; lang: string; notify: { email: boolean; sms: boolean } };
}

/** How many documents with long arrays there are. */
export const baskets = 10;

/** An array of 1,000 elements. */
export interface Basket {
  readonly _id: ObjectId;
  owner: string;
  lines: { sku: string; qty: number; price: number; note: string }[];
}

/** How many authors the books have. */
const authors = 200;

/** A document that refers to another: 8 fields, about 250 bytes. */
export interface Book {
  readonly _id: ObjectId;
  title: string;
  author: ObjectId;
  year: number;
  pages: number;
  price: number;
  isbn: string;
  publishedAt: Date;
  tags: string[];
}

/** What it refers to. */
export interface Author {
  readonly _id: ObjectId;
  name: string;
  country: string;
  born: number;
}

/** What the names of {@link fixtures} give: the documents and their BSON, as slices of one buffer, as a network message is. */
export interface Fixture<T extends Document = Document> {
  readonly docs: readonly T[];
  readonly bytes: readonly Buffer[];
}

/** A seeded source of numbers in [0, 1): mulberry32 (Tommy Ettinger, public domain). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

function hex(next: () => number, digits: number): string {
  let text = '';
  for (let i = 0; i < digits; i++) text += Math.floor(next() * 16).toString(16);
  return text;
}

function pick<T>(next: () => number, from: readonly T[]): T {
  const item = from[Math.floor(next() * from.length)];
  if (item === undefined) throw new Error('Nothing to pick from.');
  return item;
}

function instant(next: () => number): Date {
  return new Date(Date.UTC(2020, 0, 1) + Math.floor(next() * 200_000_000) * 1000);
}

function user(i: number, next: () => number): User {
  return {
    _id: new ObjectId(hex(next, 24)),
    name: `User ${i}`,
    email: `user${i}@example.com`,
    age: 20 + (i % 50),
    active: i % 2 === 0,
    score: i * 1.5 + 0.25,
    createdAt: instant(next),
    updatedAt: instant(next),
    address: {
      street: `${i} Main Street`,
      city: 'Springfield',
      zip: '12345',
      geo: { lat: 12.5 + i, lng: 45.1 },
    },
    tags: ['alpha', 'beta', 'gamma', 'delta'],
    roles: ['user'],
    items: Array.from({ length: 5 }, (_, k) => ({
      sku: `SKU-${k}`,
      qty: k + 1,
      price: 9.99 * (k + 1),
      name: `Product name ${k}`,
    })),
    bio: 'Lorem ipsum dolor sit amet, consectetur adipiscing elit. '.repeat(4),
    loginCount: i,
    settings: { theme: 'dark', lang: 'en', notify: { email: true, sms: false } },
  };
}

const words = ['Žofie', 'Владимир', '東京都渋谷区', 'naïve café', 'Ελλάδα', 'smörgåsbord', '😀 emoji', 'İstanbul'];

/** The main fixture with text outside ASCII in every string that people write. */
function foreignUser(i: number, next: () => number): User {
  const plain = user(i, next);
  const phrase = (length: number): string => Array.from({ length }, () => pick(next, words)).join(' ');
  return {
    ...plain,
    name: phrase(2),
    address: { ...plain.address, street: phrase(2), city: pick(next, words) },
    tags: [pick(next, words), pick(next, words), 'gamma', 'delta'],
    items: plain.items.map((item) => ({ ...item, name: phrase(1) })),
    bio: phrase(12),
  };
}

/** The main fixture with each field but `_id` there four times out of five, in an order of its own. */
function shuffledUser(i: number, next: () => number): Document {
  const { _id, ...rest } = user(i, next);
  const fields = Object.entries(rest)
    .filter(() => next() < 0.8)
    .map((field) => ({ field, place: next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ field }) => field);
  return { _id, ...Object.fromEntries(fields) };
}

/** A document whose keys are data: maps keyed by the ids of others, no key of which comes back. */
function keyedByIds(i: number, next: () => number): Document {
  const members: Record<string, unknown> = {};
  const unread: Record<string, number> = {};
  for (let k = 0; k < 8; k++) members[hex(next, 24)] = { role: pick(next, ['owner', 'guest']), since: instant(next) };
  for (let k = 0; k < 12; k++) unread[hex(next, 24)] = k;
  return { _id: new ObjectId(hex(next, 24)), name: `Room ${i}`, members, unread };
}

/** About 300 bytes. */
function event(i: number, next: () => number): Document {
  return {
    _id: new ObjectId(hex(next, 24)),
    type: pick(next, ['click', 'view', 'purchase']),
    user: new ObjectId(hex(next, 24)),
    at: instant(next),
    path: `/shop/items/${i}`,
    referrer: 'https://www.example.com/search?q=data+bridge',
    durationMs: Math.floor(next() * 5000),
    device: { os: 'Android', model: 'Pixel', width: 1080, height: 2400 },
    experiment: 'checkout-button-colour',
  };
}

/** About 30 KB: an order with many lines. */
function order(i: number, next: () => number): Document {
  return {
    _id: new ObjectId(hex(next, 24)),
    number: `2024-${i}`,
    customer: new ObjectId(hex(next, 24)),
    createdAt: instant(next),
    total: next() * 10_000,
    lines: Array.from({ length: 140 }, (_, k) => ({
      product: new ObjectId(hex(next, 24)),
      sku: `SKU-${hex(next, 8)}`,
      name: `Product name ${k} of the spring collection`,
      qty: k + 1,
      price: next() * 100,
      addedAt: instant(next),
      options: { colour: pick(next, ['red', 'green', 'blue']), size: 'XL', gift: k % 7 === 0 },
    })),
    notes: 'Lorem ipsum dolor sit amet, consectetur adipiscing elit. '.repeat(16),
  };
}

/** About 80 KB: an array of 1,000 elements. */
function basket(i: number, next: () => number): Basket {
  return {
    _id: new ObjectId(hex(next, 24)),
    owner: `User ${i}`,
    lines: Array.from({ length: 1000 }, (_, k) => ({
      sku: `SKU-${hex(next, 8)}`,
      qty: k + 1,
      price: next() * 100,
      note: `Line ${k}`,
    })),
  };
}

function author(i: number, next: () => number): Author {
  return { _id: new ObjectId(hex(next, 24)), name: `Author ${i}`, country: pick(next, words), born: 1900 + (i % 90) };
}

function book(i: number, next: () => number): Book {
  return {
    _id: new ObjectId(hex(next, 24)),
    title: `The book of number ${i}`,
    author: pick(next, fixtures.authors().docs)._id,
    year: 1950 + (i % 70),
    pages: 100 + Math.floor(next() * 900),
    price: 0.25 + Math.floor(next() * 100),
    isbn: `978-${hex(next, 10)}`,
    publishedAt: instant(next),
    tags: ['fiction', 'paperback'],
  };
}

/** Encodes documents one after another into a single buffer and gives each one's slice. */
export function encodeTogether(docs: readonly Document[]): Buffer[] {
  const parts = docs.map((doc) => BSON.serialize(doc));
  const whole = Buffer.concat(parts);
  let offset = 0;
  return parts.map((part) => whole.subarray(offset, (offset += part.length)));
}

function fixture<T extends Document>(
  seed: number,
  size: number,
  make: (i: number, next: () => number) => T,
): Fixture<T> {
  const next = random(seed);
  const docs = Array.from({ length: size }, (_, i) => make(i, next));
  return { docs, bytes: encodeTogether(docs) };
}

/** Sets that others ask for again and again are kept. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The document sets, made on demand. The same seed gives the same bytes in every process. */
export const fixtures = {
  users: () => fixture(1, setSize, user),
  foreignUsers: () => fixture(2, setSize, foreignUser),
  shuffledUsers: () => fixture(3, setSize, shuffledUser),
  keyedByIds: () => fixture(4, setSize, keyedByIds),
  events: () => fixture(5, setSize, event),
  orders: () => fixture(6, setSize / 20, order),
  baskets: () => fixture(7, baskets, basket),
  authors: once(() => fixture(8, authors, author)),
  books: once(() => fixture(9, setSize, book)),
};
