// What find makes of a document by a projection, as every server answers it.
import { Double, Long } from 'mongodb';
import { expect } from 'vitest';
import { decode } from '../../../src/values/bson.ts';
import { text, val } from '../../support/engine.ts';
import { type AnyDocument, type Case, conformanceOfEngine, errorOf } from '../../support/conformance.ts';

const player = {
  _id: 1,
  name: 'ann',
  games: [
    { game: 'abc', score: 8 },
    { game: 'xyz', score: 5 },
  ],
  at: { city: 'Rome', zip: [1, 2, 3], geo: { lat: 1, lng: 2 } },
  n: [5, 6, 7, 8],
  level: 0,
};

/** A projection, what becomes of {@link player} as text, or the number of an error; and the filter where one matters. */
type Row = readonly [projection: AnyDocument, expected: string | number, filter?: AnyDocument];

const flags: readonly Row[] = [
  [{ name: 1 }, '{_id: 1, name: "ann"}'],
  [{ name: true, _id: false }, '{name: "ann"}'],
  [{ name: new Double(0.5), _id: 0 }, '{name: "ann"}'],
  [{ name: Long.fromNumber(1), _id: 0 }, '{name: "ann"}'],
  [{ _id: 1 }, '{_id: 1}'],
  [{ nothing: 1 }, '{_id: 1}'],
  [{ games: 0, at: 0, n: 0 }, '{_id: 1, name: "ann", level: 0}'],
  [{ _id: 0, games: 0, at: 0, n: 0 }, '{name: "ann", level: 0}'],
  // The order is that of the document.
  [{ level: 1, name: 1 }, '{_id: 1, name: "ann", level: 0}'],
  [{ 'at.city': 1 }, '{_id: 1, at: {city: "Rome"}}'],
  [{ at: { city: 1 } }, '{_id: 1, at: {city: "Rome"}}'],
  [{ 'at.geo.lat': 1, 'at.city': 1 }, '{_id: 1, at: {city: "Rome", geo: {lat: 1}}}'],
  [{ 'games.score': 1 }, '{_id: 1, games: [{score: 8}, {score: 5}]}'],
  [{ 'games.0': 1 }, '{_id: 1, games: [{}, {}]}'],
  [{ 'name.first': 1 }, '{_id: 1}'],
  [{ 'n.x': 1 }, '{_id: 1, n: []}'],
  [
    { 'games.game': 0, 'at.zip': 0, 'at.geo': 0, n: 0 },
    '{_id: 1, name: "ann", games: [{score: 8}, {score: 5}], at: {city: "Rome"}, level: 0}',
  ],
  [{ 'n.x': 0, games: 0, at: 0 }, '{_id: 1, name: "ann", n: [5, 6, 7, 8], level: 0}'],
  [{ name: 1, level: 0 }, 31254],
  [{ name: 0, level: 1 }, 31253],
  [{ at: 1, 'at.city': 1 }, 31249],
  [{ 'at.city': 1, at: 1 }, 31250],
  [{ 'at..city': 1 }, 15998],
  [{ 'at.': 1 }, 40353],
  [{ at: {} }, 51270],
];

const arrays: readonly Row[] = [
  [{ n: { $slice: 2 }, name: 1 }, '{_id: 1, name: "ann", n: [5, 6]}'],
  [{ n: { $slice: -1 }, name: 1 }, '{_id: 1, name: "ann", n: [8]}'],
  [{ n: { $slice: [1, 2] }, name: 1 }, '{_id: 1, name: "ann", n: [6, 7]}'],
  [{ n: { $slice: [-3, 2] }, name: 1 }, '{_id: 1, name: "ann", n: [6, 7]}'],
  [{ n: { $slice: [-9, 2] }, name: 1 }, '{_id: 1, name: "ann", n: [5, 6]}'],
  [{ n: { $slice: 0 }, name: 1 }, '{_id: 1, name: "ann", n: []}'],
  [{ n: { $slice: 99 }, name: 1 }, '{_id: 1, name: "ann", n: [5, 6, 7, 8]}'],
  [{ name: { $slice: 1 }, level: 1 }, '{_id: 1, name: "ann", level: 0}'],
  [{ n: { $slice: 1 }, games: 0, at: 0 }, '{_id: 1, name: "ann", n: [5], level: 0}'],
  [{ 'at.zip': { $slice: 1 }, level: 1 }, '{_id: 1, at: {zip: [1]}, level: 0}'],
  [
    { 'at.zip': { $slice: 1 }, games: 0, n: 0 },
    '{_id: 1, name: "ann", at: {city: "Rome", zip: [1], geo: {lat: 1, lng: 2}}, level: 0}',
  ],
  [{ n: { $slice: [0, 0] } }, 28724],
  [{ games: { $elemMatch: { score: 5 } } }, '{_id: 1, games: [{game: "xyz", score: 5}]}'],
  // It comes after the fields that are there anyway: reference/operator/projection/elemMatch
  [
    { games: { $elemMatch: { score: { $gt: 5 } } }, level: 1, name: 1 },
    '{_id: 1, name: "ann", level: 0, games: [{game: "abc", score: 8}]}',
  ],
  [{ games: { $elemMatch: { score: { $gt: 9 } } }, level: 1 }, '{_id: 1, level: 0}'],
  [{ n: { $elemMatch: { $gt: 5, $lt: 8 } } }, '{_id: 1, n: [6]}'],
  [{ name: { $elemMatch: { $gt: 5 } } }, '{_id: 1}'],
  [{ level: { $elemMatch: { $gt: 5 } } }, '{_id: 1}'],
  [{ games: { $elemMatch: 5 } }, 31274],
  [{ 'n.$': 1 }, '{_id: 1, n: [7]}', { n: 7 }],
  [{ 'n.$': 1, level: 1 }, '{_id: 1, n: [6], level: 0}', { n: { $gt: 5 } }],
  [{ 'games.$': 1 }, '{_id: 1, games: [{game: "xyz", score: 5}]}', { 'games.score': 5 }],
  [{ 'games.$': 1 }, '{_id: 1, games: [{game: "abc", score: 8}]}', { games: { $elemMatch: { score: { $gt: 6 } } } }],
  [{ 'at.zip.$': 1 }, '{_id: 1, at: {zip: [2]}}', { 'at.zip': 2 }],
  [{ 'n.$': 1 }, 51246, { level: 0 }],
  [{ 'n.$': 1, 'games.$': 1 }, 31276, { n: 5 }],
];

const expressions: readonly Row[] = [
  [{ twice: { $multiply: ['$level', 2] } }, '{_id: 1, twice: 0}'],
  [{ name: 1, city: '$at.city' }, '{_id: 1, name: "ann", city: "Rome"}'],
  [{ name: 1, scores: '$games.score' }, '{_id: 1, name: "ann", scores: [8, 5]}'],
  [{ name: 'text' }, '{_id: 1, name: "text"}'],
  [{ name: { $literal: 1 } }, '{_id: 1, name: 1}'],
  [{ name: '$nothing' }, '{_id: 1}'],
  [{ 'at.sum': { $sum: '$n' } }, '{_id: 1, at: {sum: 26}}'],
  [{ at: { city: 1, sum: { $sum: '$n' } } }, '{_id: 1, at: {city: "Rome", sum: 26}}'],
  [{ _id: '$name' }, '{_id: "ann"}'],
  [{ first: { $slice: ['$n', 1] } }, '{_id: 1, first: [5]}'],
  [{ list: ['$name', 5] }, '{_id: 1, list: ["ann", 5]}'],
  [{ name: 0, x: '$level' }, 31310],
  [{ name: 0, x: { $add: ['$level', 1] } }, 31252],
  [{ name: { $foo: 1 } }, 31325],
  [{ $name: 1 }, 16410],
];

function cases(rows: readonly Row[]): Record<string, Case> {
  return Object.fromEntries(
    rows.map(([projection, expected, filter = {}]): [string, Case] => [
      `${text(val(projection))} by ${text(val(filter))}`,
      async ({ collection }) => {
        await collection.insertOne(player);
        const found = collection.find(filter, { projection, raw: true }).toArray();
        if (typeof expected === 'number') expect((await errorOf(found)).code).toBe(expected);
        else expect((await found).map((bytes) => text(decode(Buffer.from(bytes as never))))).toEqual([expected]);
      },
    ]),
  );
}

conformanceOfEngine('projections: flags', cases(flags));
conformanceOfEngine('projections: arrays', cases(arrays));
conformanceOfEngine('projections: expressions', cases(expressions));
