import type { HistoryEntry } from 'data-bridge';
import { loadModels, type LoadedModel } from '../config/models.ts';
import { CommandError } from '../errors.ts';
import { type Call, type Command, DATABASE_OPTIONS } from '../terminal/command.ts';
import { DONE, type ExitCode } from '../terminal/shell.ts';
import { valueText } from '../terminal/value-text.ts';
import { configOf, withDatabase } from './database.ts';

const DOCUMENT = ['<collection/id>'];

export const historyShow: Command = {
  name: 'history show',
  summary: 'tells who changed a document, when and why, the last change first',
  positionals: DOCUMENT,
  options: {
    size: { type: 'string', value: 'number', help: 'how many changes, 20 if not given' },
    before: { type: 'string', value: 'revision', help: 'those before this revision' },
    ...DATABASE_OPTIONS,
  },
  example: 'history show users/65f0c0ffee65f0c0ffee65f0',
  run: (call) =>
    withDocument(call, async (model, id) => {
      const size = numberOf(call, 'size') ?? 20;
      const { items, next } = await model.history(id, { size, before: numberOf(call, 'before') ?? null });
      for (const entry of items) call.report.tell(entry, entryText(call, entry));
      if (items.length === 0) call.report.note('It has no history.');
      if (next !== null) call.report.note(`There are more: --before ${next}`);
    }),
};

export const historyRestore: Command = {
  name: 'history restore',
  summary: 'brings a deleted document back, as it was before',
  positionals: DOCUMENT,
  options: DATABASE_OPTIONS,
  example: 'history restore users/65f0c0ffee65f0c0ffee65f0',
  run: (call) =>
    withDocument(call, async (model, id) => {
      const { $revision } = await model.restore(id);
      call.report.tell({ restored: id, revision: $revision }, `Restored, as revision ${$revision}.`);
    }),
};

export const historyPrune: Command = {
  name: 'history prune',
  summary: "deletes old entries of a collection's history",
  positionals: ['<collection>'],
  options: {
    'older-than': { type: 'string', value: 'date', help: 'those before this day or moment, as 2026-01-31' },
    ...DATABASE_OPTIONS,
  },
  example: 'history prune users --older-than 2026-01-31',
  async run(call): Promise<ExitCode> {
    const olderThan = new Date(call.text('older-than') ?? '');
    if (Number.isNaN(olderThan.getTime()))
      throw new CommandError('"history prune" needs --older-than with a date: 2026-01-31, or 2026-01-31T12:00:00Z.');
    const config = await configOf(call);
    return withDatabase(call, config, async () => {
      const model = recorded(await loadModels(config), call.positionals[0] ?? '');
      const deleted = await model.pruneHistory({ olderThan });
      call.report.tell({ deleted }, `Deleted ${deleted} entries.`);
      return DONE;
    });
  },
};

async function withDocument(
  call: Call,
  code: (model: Required<LoadedModel>, id: string) => Promise<void>,
): Promise<ExitCode> {
  const [, collection = '', id] = /^([^/]+)\/(.+)$/.exec(call.positionals[0] ?? '') ?? [];
  if (id === undefined)
    throw new CommandError('A document is named by its collection and its id: users/65f0c0ffee65f0c0ffee65f0.');
  const config = await configOf(call);
  return withDatabase(call, config, async () => {
    await code(recorded(await loadModels(config), collection), id);
    return DONE;
  });
}

/** The model of a collection, which keeps a history. */
function recorded(models: readonly LoadedModel[], name: string): Required<LoadedModel> {
  const meant = models.filter(({ collection }) => collection.collectionName === name);
  const model = meant.find((each): each is Required<LoadedModel> => each.history !== undefined);
  if (model !== undefined) return model;
  const known = [
    ...new Set(models.filter(({ history }) => history).map(({ collection }) => collection.collectionName)),
  ];
  const why = meant.length > 0 ? 'keeps no history' : 'is that of no model';
  throw new CommandError(`The collection ${name} ${why}: those with one are ${known.join(', ') || 'none'}.`);
}

function numberOf({ text }: Call, option: string): number | undefined {
  const given = text(option);
  if (given === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(given)) throw new CommandError(`--${option} takes a number from 1, got "${given}".`);
  return Number(given);
}

function entryText({ report }: Call, { revision, kind, at, actor, reason, changes }: HistoryEntry): string {
  const who = [actor, reason].filter((part) => part !== undefined).join(': ');
  const head = `${report.styled('bold', String(revision))} ${kind}  ${at.toISOString()}  ${who}`.trimEnd();
  if (changes === null) return `${head}\n  what it changed was lost`;
  const lines = changes.map(({ path, from, to }) => {
    const old = report.styled('red', valueText(from));
    return `  ${path}: ${old} → ${report.styled('green', valueText(to))}`;
  });
  return [head, ...lines].join('\n');
}
