import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one line that any reader can parse: `N passed, N failed, N skipped`. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    let skipped = 0;
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests += 1;
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped += 1;
      }
      // A file that could not be loaded holds no tests; it must not count as silence.
      if (module.state() === 'failed' && (tests === 0 || module.errors().length > 0)) failed += 1;
    }
    // The default reporter writes its summary in the same hook; this line goes last.
    process.once('exit', () => {
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}
