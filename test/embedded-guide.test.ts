import { it } from 'vitest';
import { embeddedTables } from './support/embedded-tables.ts';
import { expectWritten } from './support/written-part.ts';

it('the guide to the embedded server says what the server does and refuses', () => {
  expectWritten('embedded.md', embeddedTables());
});
