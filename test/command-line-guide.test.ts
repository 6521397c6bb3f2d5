import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commands } from '../packages/cli/src/main.ts';
import { helpOf } from '../packages/cli/src/terminal/help.ts';

const page = new URL('../docs/guide/command-line.md', import.meta.url);
const [BEGIN, END] = ['<!-- Written by `npm run docs:tables`. -->', '<!-- End of what is written. -->'];

it('the guide to the command line says what its help says', () => {
  const text = readFileSync(page, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  const sections = commands.map((command) => `## ${command.name}\n\n\`\`\`text\n${helpOf(command)}\`\`\`\n`);
  const current = [before, BEGIN, '\n\n', sections.join('\n'), '\n', END, after].join('');
  if (process.env['WRITE_TABLES'] !== undefined) writeFileSync(page, current);
  else expect(text, 'Run `npm run docs:tables`.').toBe(current);
});
