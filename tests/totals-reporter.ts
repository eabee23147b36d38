// SPDX-License-Identifier: MIT
import type { Reporter, TestModule } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** Where its KVM guests ran. */
    kvm?: string;
  }
}

/** Ends the output with the one line that says how the tests went. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let skipped = 0;
    // A file that could not be loaded has no tests to count, and an error outside any test is no less one.
    let failed = errors.length + modules.filter((module) => module.errors().length > 0).length;
    const ways = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        const { kvm } = test.meta();
        if (kvm !== undefined) ways.set(kvm, (ways.get(kvm) ?? 0) + 1);
        if (state === 'passed') passed++;
        else if (state === 'skipped') skipped++;
        else failed++;
      }
    }
    // After the default reporter's own summary, which is written when this hook has run for all reporters.
    process.once('exit', () => {
      for (const [way, count] of [...ways].sort()) console.log(`KVM: ${count} tests ran ${way}`);
      console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    });
  }
}
