import { deepStrictEqual } from 'node:assert';
import { BSON } from 'mongodb';
// The decoder below the public names, from the build: the one thing that is measured from inside.
import { decodeDocument, decodeTransient } from '../../packages/data-bridge/dist/bson/decode.js';
import { Layout } from '../../packages/data-bridge/dist/bson/layout.js';
import { fixtures, type Fixture } from './fixtures.ts';
import { alternate, keep, type Contender, type Effort, type Timings } from './measure.ts';
import { atLeast, compare, type Row, timeRow } from './report.ts';

/** A document set and how many times faster than the bson package it is to be decoded. */
interface Case {
  readonly what: string;
  readonly fixture: () => Fixture;
  readonly flat: number;
  readonly transient: number;
}

const cases: readonly Case[] = [
  { what: '1 KB, 15 fields', fixture: fixtures.users, flat: 2.5, transient: 3 },
  { what: 'non-ASCII text', fixture: fixtures.foreignUsers, flat: 1.5, transient: 1.5 },
  { what: 'shuffled optional fields', fixture: fixtures.shuffledUsers, flat: 1.5, transient: 1.5 },
  { what: 'maps keyed by ids', fixture: fixtures.keyedByIds, flat: 1, transient: 1 },
  { what: '300 B', fixture: fixtures.events, flat: 1.5, transient: 1.5 },
  { what: '30 KB', fixture: fixtures.orders, flat: 1.5, transient: 1.5 },
];

function contenders({ bytes }: Fixture): Contender[] {
  const flat = new Layout();
  const transient = new Layout();
  for (const document of bytes) {
    deepStrictEqual(decodeDocument(flat, document, 0), BSON.deserialize(document));
    deepStrictEqual(decodeTransient(transient, document, 0), BSON.deserialize(document));
  }
  const each = (decode: (document: Buffer) => unknown) => (): void => {
    for (const document of bytes) keep(decode(document));
  };
  return [
    { name: 'bson.deserialize', pass: each((document) => BSON.deserialize(document)) },
    { name: 'flat', pass: each((document) => decodeDocument(flat, document, 0)) },
    { name: 'transient', pass: each((document) => decodeTransient(transient, document, 0)) },
  ];
}

function rows(timings: Timings, { what, flat, transient }: Case): Row[] {
  const against = (contender: string) => compare(timings, 'bson.deserialize', contender);
  return [
    {
      what: `decode ${what}, flat strings, against bson.deserialize`,
      goal: atLeast(flat),
      ...against('flat'),
    },
    { what: `decode ${what}, values dropped at once`, goal: atLeast(transient), ...against('transient') },
    timeRow(timings, 'bson.deserialize', `bson.deserialize, ${what}, per set`),
  ];
}

/** Whole documents from bytes to plain objects, no connection. All sets in one process: a codec sees many shapes. */
export async function decodeAlone(effort: Effort): Promise<Row[]> {
  const all: Row[] = [];
  for (const one of cases) all.push(...rows(await alternate(contenders(one.fixture()), effort), one));
  return all;
}
