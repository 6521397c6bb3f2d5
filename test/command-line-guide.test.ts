import { it } from 'vitest';
import { commands } from '../packages/cli/src/main.ts';
import { helpOf } from '../packages/cli/src/terminal/help.ts';
import { expectWritten } from './support/written-part.ts';

it('the guide to the command line says what its help says', () => {
  const sections = commands.map((command) => `## ${command.name}\n\n\`\`\`text\n${helpOf(command)}\`\`\``);
  expectWritten('command-line.md', sections.join('\n\n'));
});
