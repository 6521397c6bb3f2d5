#!/usr/bin/env node
/** As a text that the compiler does not follow: the package depends on this one. */
const PACKAGE: string = '@data-bridge/cli';

try {
  const { main } = (await import(PACKAGE)) as { main(args: readonly string[]): Promise<number> };
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (
    !(
      error instanceof Error &&
      'code' in error &&
      error.code === 'ERR_MODULE_NOT_FOUND' &&
      error.message.includes(PACKAGE)
    )
  )
    throw error;
  process.stderr.write(`The command line is a package of its own: npm install --save-dev ${PACKAGE}\n`);
  process.exitCode = 1;
}
