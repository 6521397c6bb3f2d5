import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a run with one line that any reader can parse: `N passed, N failed, N skipped`. A file that does not load and a
 * hook that fails count as one failure each, for their tests are silent; so does a run that fails for a reason of its
 * own, such as coverage below its threshold or no test found.
 */
export default class TotalsReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  onInit(): void {
    // The other reporters write their summaries at the end of the run, coverage after them: this line goes last.
    process.once('exit', (code) => {
      const failed = this.#failed === 0 && code !== 0 ? 1 : this.#failed;
      process.stdout.write(`\n${this.#passed} passed, ${failed} failed, ${this.#skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.#passed = 0;
    this.#failed = unhandled.length;
    this.#skipped = 0;
    for (const module of modules) this.#count(module);
  }

  #count(module: TestModule): void {
    for (const suite of [module, ...module.children.allSuites()]) {
      if (suite.errors().length > 0) this.#failed += 1;
    }
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') this.#passed += 1;
      else if (state === 'failed') this.#failed += 1;
      else this.#skipped += 1;
    }
  }
}
