/**
 * The primitives of the codec one by one, for work on the codec itself: `node benchmarks/dist/codec.js [--quick]`. What the
 * goals speak of is measured by the cases of `npm run bench`.
 */
import { deserialize } from 'bson';
import { decodeDocument, decodeElement, decodeTransient } from '../../packages/data-bridge/dist/bson/decode.js';
import { equalElement } from '../../packages/data-bridge/dist/bson/equal.js';
import { Layout } from '../../packages/data-bridge/dist/bson/layout.js';
import { fieldsOf, locate } from '../../packages/data-bridge/dist/bson/locate.js';
import { circumstances } from './circumstances.ts';
import { type Fixture, fixtures } from './fixtures.ts';
import { alternate, type Contender, keep, quick, ratio, spread, thorough, timeOf } from './measure.ts';
import { type Row, table } from './report.ts';

/** Finds and decodes the three fields after `_id`. */
function readThree({ bytes, docs }: Fixture): Contender {
  const layout = new Layout();
  const fields = Object.keys(docs[0] ?? {})
    .slice(1, 4)
    .map((name) => layout.field(name));
  const pass = (): void => {
    for (const document of bytes) {
      for (const field of fields) {
        const at = locate(layout, document, 0, field);
        if (at >= 0) keep(decodeElement(layout, document, 0, field, at));
      }
    }
  };
  return { name: 'three', pass };
}

/** Finds one field: a scan of the headers. */
function scan({ bytes }: Fixture): Contender {
  const layout = new Layout();
  const field = layout.field('_id');
  const pass = (): void => {
    for (const document of bytes) keep(locate(layout, document, 0, field));
  };
  return { name: 'scan', pass };
}

/** Compares every field with what it was decoded to. */
function compareAll({ bytes }: Fixture): Contender {
  const layout = new Layout();
  const handedOut = bytes.map((document) =>
    fieldsOf(layout, document, 0).map((field) => {
      const at = locate(layout, document, 0, field);
      return { at, value: decodeElement(layout, document, 0, field, at) };
    }),
  );
  const pass = (): void => {
    bytes.forEach((document, i) => {
      for (const { at, value } of handedOut[i] ?? []) {
        if (!equalElement(layout, document, 0, at, value)) throw new Error('What was decoded must equal its bytes.');
      }
    });
  };
  return { name: 'equal', pass };
}

function decodeAll({ bytes }: Fixture): Contender[] {
  const flat = new Layout();
  const transient = new Layout();
  const each = (decode: (document: Buffer) => unknown) => (): void => {
    for (const document of bytes) keep(decode(document));
  };
  return [
    { name: 'bson', pass: each((document) => deserialize(document)) },
    { name: 'flat', pass: each((document) => decodeDocument(flat, document, 0)) },
    { name: 'transient', pass: each((document) => decodeTransient(transient, document, 0)) },
  ];
}

const effort = process.argv.includes('--quick') ? quick : thorough;
const { node, machine, load } = circumstances();
process.stdout.write(`Node ${node}, ${machine}, load ${load} before the run\n\n`);
for (const [name, make] of Object.entries(fixtures)) {
  const fixture: Fixture = make();
  const timings = await alternate(
    [...decodeAll(fixture), scan(fixture), readThree(fixture), compareAll(fixture)],
    effort,
  );
  const perDocument = (contender: string): Row['measured'] => {
    const { median, low, high } = timeOf(timings, contender);
    return spread([low, median, high].map((ms) => (ms * 1000) / fixture.bytes.length));
  };
  const faster = (contender: string): Row['measured'] => ratio(timings, 'bson', contender);
  const rows: Row[] = [
    { what: `${name}: bson.deserialize`, measured: perDocument('bson'), unit: 'µs' },
    { what: 'decode, flat strings: times faster', measured: faster('flat'), unit: '×' },
    { what: 'decode, dropped at once: times faster', measured: faster('transient'), unit: '×' },
    { what: 'scan the headers', measured: perDocument('scan'), unit: 'µs' },
    { what: 'read three fields', measured: perDocument('three'), unit: 'µs' },
    { what: 'compare every field', measured: perDocument('equal'), unit: 'µs' },
    { what: 'compare every field: times faster than decoding', measured: faster('equal'), unit: '×' },
  ];
  process.stdout.write(`${table(rows)}\n\n`);
}
