import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { embeddedTables } from './support/embedded-tables.ts';

const page = new URL('../docs/guide/embedded.md', import.meta.url);
const [BEGIN, END] = ['<!-- Written by `npm run docs:tables`. -->', '<!-- End of what is written. -->'];

it('the guide to the embedded server says what the server does and refuses', () => {
  const text = readFileSync(page, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  const current = [before, BEGIN, '\n\n', embeddedTables(), '\n\n', END, after].join('');
  if (process.env['WRITE_TABLES'] !== undefined) writeFileSync(page, current);
  else expect(text, 'Run `npm run docs:tables`.').toBe(current);
});
