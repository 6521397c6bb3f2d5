import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

const [BEGIN, END] = ['<!-- Written by `npm run docs:tables`. -->', '<!-- End of what is written. -->'];

/** Checks that a page of the guide has this text in the part that is written, and writes it there where `WRITE_TABLES` is set. */
export function expectWritten(name: string, written: string): void {
  const page = new URL(`../../docs/guide/${name}`, import.meta.url);
  const text = readFileSync(page, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  const current = [before, BEGIN, '\n\n', written, '\n\n', END, after].join('');
  if (process.env['WRITE_TABLES'] !== undefined) writeFileSync(page, current);
  else expect(text, 'Run `npm run docs:tables`.').toBe(current);
}
