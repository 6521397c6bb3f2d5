import { help, readArguments, type Server } from './arguments.ts';
import { type Effort, STEADY } from './comparison.ts';
import { openDatabase } from './database.ts';
import { type Output, Terminal } from './terminal.ts';
import { tour } from './tour.ts';

/** Runs the demo. @returns the exit code: 0, 1 after an error, 2 for wrong arguments. */
export async function main(args: readonly string[], output: Output, errors: Output, effort = STEADY): Promise<number> {
  const request = readArguments(args);
  switch (request.kind) {
    case 'help':
      output.write(help);
      return 0;
    case 'mistake':
      errors.write(`${request.message}\n\n${help}`);
      return 2;
    case 'run':
      return run(request.server, output, errors, effort);
  }
}

async function run(server: Server, output: Output, errors: Output, effort: Effort): Promise<number> {
  try {
    const database = await openDatabase(server);
    try {
      await tour(database, new Terminal(output), effort);
    } finally {
      await database.close();
    }
    return 0;
  } catch (error) {
    errors.write(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
