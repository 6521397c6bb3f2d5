import { startCannedServer, messageOf, numberIn, startProcess } from './processes.ts';
import { spread, type Effort, type Spread } from './measure.ts';
import type { HolderName } from './memory-holders.ts';
import { atMost, type Row } from './report.ts';

/** Bytes for each thing kept, once per repetition. */
type Series = ReadonlyMap<HolderName, readonly number[]>;

const names: readonly HolderName[] = [
  'plain objects',
  'plain objects + structuredClone',
  'Mongoose documents',
  'documents, unread',
  'documents, all read',
  'one string of each',
  'documents with a reference, unread',
  'documents with an id instead, unread',
  'one document of each batch',
];

async function bytesKept(name: HolderName, uri: string, batches: number): Promise<number> {
  const child = startProcess('./memory-child.js', [name, uri, String(batches)]);
  return numberIn(await messageOf(child), 'bytes');
}

async function measureAll(repetitions: number): Promise<Series> {
  const server = await startCannedServer();
  const series = new Map<HolderName, number[]>(names.map((name) => [name, []]));
  try {
    for (let i = 0; i < repetitions; i++) {
      for (const name of names) {
        const batches = name === 'one document of each batch' ? 400 : 20;
        series.get(name)?.push(await bytesKept(name, server.uri, batches));
      }
    }
  } finally {
    await server.stop();
  }
  return series;
}

function bytes(series: Series, name: HolderName): readonly number[] {
  return series.get(name) ?? [];
}

function share(series: Series, ours: HolderName, theirs: HolderName): Spread {
  const other = bytes(series, theirs);
  return spread(bytes(series, ours).map((value, i) => value / (other[i] ?? Number.NaN)));
}

/** What 20,000 documents of the main fixture take, each holder in processes of its own. */
export async function memory(effort: Effort): Promise<Row[]> {
  const series = await measureAll(effort.rounds >= 10 ? 2 : 1);
  const unread = (rival: HolderName, goal: number): Row => ({
    what: `memory of unread documents, against ${rival}`,
    goal: atMost(goal),
    measured: share(series, 'documents, unread', rival),
    unit: '×',
  });
  const kilobytes = bytes(series, 'one document of each batch').map((value) => value / 1024);
  return [
    unread('plain objects', 0.52),
    unread('plain objects + structuredClone', 0.28),
    unread('Mongoose documents', 0.14),
    {
      what: 'memory, all fields read, against plain objects',
      goal: atMost(1.3),
      measured: share(series, 'documents, all read', 'plain objects'),
      unit: '×',
    },
    {
      what: 'memory, all fields read, against plain objects + structuredClone',
      goal: atMost(0.75),
      measured: share(series, 'documents, all read', 'plain objects + structuredClone'),
      unit: '×',
    },
    {
      what: 'one string kept of each of 20,000 documents, per string',
      goal: atMost(100),
      measured: spread(bytes(series, 'one string of each')),
      unit: 'B',
    },
    {
      what: 'memory of documents with a reference, unread, against an id',
      goal: atMost(1.02),
      measured: share(series, 'documents with a reference, unread', 'documents with an id instead, unread'),
      unit: '×',
    },
    { what: 'one document kept of each batch of 1,000', goal: atMost(16), measured: spread(kilobytes), unit: 'KB' },
    ...names.map((name): Row => ({
      what: `  kept by ${name}, each`,
      measured: spread(bytes(series, name)),
      unit: 'B',
    })),
  ];
}
