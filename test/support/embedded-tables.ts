// What the embedded server does and what it refuses, as tables of the guide: from the tables that the server itself uses.
import { COMMANDS, UNSUPPORTED_COMMANDS } from '../../packages/embedded/src/commands/table.ts';
import { OUTPUT_STAGES, STAGES, UNSUPPORTED_STAGES } from '../../packages/embedded/src/engine/aggregate/compile.ts';
import { GROUP_ACCUMULATORS, UNSUPPORTED_ACCUMULATORS } from '../../packages/embedded/src/engine/aggregate/group.ts';
import { EXPRESSIONS, UNSUPPORTED_EXPRESSIONS } from '../../packages/embedded/src/engine/expression/compile.ts';
import {
  FILTER_OPERATORS,
  UNSUPPORTED_QUERIES,
  VALUE_OPERATORS,
} from '../../packages/embedded/src/engine/match/compile.ts';
import { UPDATE_OPERATORS, UPDATE_STAGES } from '../../packages/embedded/src/engine/update/compile.ts';

type Names = Iterable<string>;

/** The first stage of the pipelines that are not run once: it is none of the table of stages. */
const CHANGE_STREAM = '$changeStream';

/** What is done, and what is refused by its name. */
const AREAS: readonly (readonly [area: string, does: Names, refuses: Names])[] = [
  ['filters', [...FILTER_OPERATORS.keys(), ...VALUE_OPERATORS.keys()], UNSUPPORTED_QUERIES],
  ['updates', [...UPDATE_OPERATORS, '$', '$[]', '$[identifier]'], []],
  ['stages of an update', UPDATE_STAGES, []],
  [
    'stages of a pipeline',
    [...STAGES.keys(), ...OUTPUT_STAGES, CHANGE_STREAM],
    [...UNSUPPORTED_STAGES].filter((name) => name !== CHANGE_STREAM),
  ],
  ['accumulators of `$group`', GROUP_ACCUMULATORS, UNSUPPORTED_ACCUMULATORS],
  ['expressions', EXPRESSIONS.keys(), UNSUPPORTED_EXPRESSIONS],
  ['commands', COMMANDS.keys(), UNSUPPORTED_COMMANDS],
  ['options of commands', [], optionsRefused()],
];

/** `find: tailable`, for each option that MongoDB has and this server refuses. */
function optionsRefused(): string[] {
  return Array.from(COMMANDS, ([name, { unsupported }]) =>
    [...unsupported].map((option) => `${name}: ${option}`),
  ).flat();
}

/** The tables as Markdown. */
export function embeddedTables(): string {
  const does = AREAS.map(([area, names]) => [area, listed(names)] as const);
  const refuses = AREAS.map(([area, , names]) => [area, listed(names)] as const);
  return `${table('does', does)}\n\n${table('refuses', refuses)}`;
}

function listed(names: Names): string {
  return [...new Set(names)]
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(' ');
}

function table(heading: string, rows: readonly (readonly [string, string])[]): string {
  const lines = rows.filter(([, names]) => names !== '').map(([area, names]) => `| ${area} | ${names} |`);
  return [`| area | ${heading} |`, '| --- | --- |', ...lines].join('\n');
}
