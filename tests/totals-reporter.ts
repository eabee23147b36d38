// SPDX-License-Identifier: MIT
import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output with the one line that says how the tests went. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let skipped = 0;
    // A file that could not be loaded has no tests to count, and an error outside any test is no less one.
    let failed = errors.length + modules.filter((module) => module.errors().length > 0).length;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'skipped') skipped++;
        else failed++;
      }
    }
    // After the default reporter's own summary, which is written when this hook has run for all reporters.
    process.once('exit', () => console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`));
  }
}
