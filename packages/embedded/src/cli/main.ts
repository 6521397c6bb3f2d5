import { PRODUCT } from '../messages/limits.ts';
import { HELP, readArguments, type Request } from './arguments.ts';
import { exportFolder } from './export.ts';
import { importFolder } from './import.ts';
import { serve, type Shell } from './serve.ts';

/** Runs the command line. @returns the exit code: 0, 1 after an error, 2 for wrong arguments */
export async function main(args: readonly string[], shell: Shell): Promise<number> {
  const request = readArguments(args);
  if (request.kind === 'mistake') {
    shell.stderr.write(`${request.message}\n\n${HELP}`);
    return 2;
  }
  try {
    await run(request, shell);
    return 0;
  } catch (error) {
    // Whoever reads the output may have had enough of it.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return 0;
    shell.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function run(request: Exclude<Request, { kind: 'mistake' }>, shell: Shell): Promise<void> {
  switch (request.kind) {
    case 'help':
      shell.stdout.write(HELP);
      return;
    case 'version':
      shell.stdout.write(`${PRODUCT}\n`);
      return;
    case 'serve':
      return serve(request.path, request.port, shell);
    case 'export':
      return exportFolder(request, shell.stdout);
    case 'import': {
      const { collections, documents } = await importFolder(request.path, shell.stdin);
      shell.stdout.write(`Imported into ${request.path}: ${collections} collections, ${documents} documents.\n`);
    }
  }
}
