import type { Effort } from './measure.ts';
import type { Row } from './report.ts';

/** A part of the report. Loaded only by the process that runs it. */
export interface Case {
  readonly title: string;
  /** What runs it, with the address of another server if there is one. */
  readonly load: () => Promise<(effort: Effort, uri: string | undefined) => Promise<Row[]>>;
  /** True where there must be another server. */
  readonly needsServer?: true;
  /** True where a run on several versions of Node.js runs it on the newest alone: it takes long, and counts more than it times. */
  readonly once?: true;
  /** True where the mappers of rivals/ take part. */
  readonly withRivals?: true;
}

/** The rows of the design's table of goals, in its order, by the name for `--only`. */
export const cases: Readonly<Record<string, Case>> = {
  'find-three': {
    title: 'Find and read three fields',
    load: async () => (await import('./find.ts')).findAndReadThree,
  },
  'find-all': { title: 'Find and read every field', load: async () => (await import('./find.ts')).findAndReadAll },
  with: { title: 'Find with what is referred to', load: async () => (await import('./with.ts')).findWithAuthors },
  decode: { title: 'Decode alone', load: async () => (await import('./decode.ts')).decodeAlone },
  tracker: { title: 'StateTracker', load: async () => (await import('./tracker.ts')).trackChanges },
  'tracker-defaults': {
    title: 'StateTracker without a layout',
    load: async () => (await import('./tracker.ts')).byDefault,
  },
  'nested-edit': { title: 'A nested edit', load: async () => (await import('./tracker.ts')).editNested },
  wide: { title: 'Documents of many names', load: async () => (await import('./tracker.ts')).readWide },
  diff: { title: 'Telling what changed', load: async () => (await import('./tracker.ts')).tellChanges },
  'is-modified': { title: 'isModified', load: async () => (await import('./tracker.ts')).isModified },
  import: { title: 'Import', load: async () => (await import('./import.ts')).importModules },
  memory: { title: 'Memory', load: async () => (await import('./memory.ts')).memory },
  save: { title: 'Save, every field set', load: async () => (await import('./save.ts')).saveAll },
  'array-of-1000': {
    title: 'Save, one of 1,000 elements edited',
    load: async () => (await import('./array.ts')).editOneOfThousand,
  },
  'save-unchanged': { title: 'Save, nothing changed', load: async () => (await import('./save.ts')).saveUnchanged },
  modes: { title: 'Save, guarded', load: async () => (await import('./writers.ts')).saveGuarded },
  history: { title: 'Save, with a history', load: async () => (await import('./history.ts')).saveRecorded },
  writers: { title: 'Sixteen writers', load: async () => (await import('./writers.ts')).sixteenWriters, once: true },
  'save-all': { title: 'Save many', load: async () => (await import('./bulk.ts')).saveAllTogether },
  'insert-many': { title: 'Insert many', load: async () => (await import('./bulk.ts')).insertManyTogether },
  create: { title: 'Create one', load: async () => (await import('./bulk.ts')).createOne },
  rivals: {
    title: 'Other mappers',
    load: async () => (await import('./rivals.ts')).againstRivals,
    withRivals: true,
  },
  embedded: {
    title: 'The embedded server',
    load: async () => (await import('./embedded.ts')).embeddedServer,
    needsServer: true,
  },
  stream: { title: 'A million documents', load: async () => (await import('./stream.ts')).streamMillion, once: true },
  soak: { title: 'A million rounds', load: async () => (await import('./soak.ts')).soak, once: true },
};
