// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './tests/totals-reporter.js';

const NESTED = ['tests/kvm.test.ts', 'tests/nested.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', new TotalsReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{backend,protocols,host,guest,bench}/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        // Real kernels: one file at a time, so that a test's guests have the machine to themselves.
        test: {
          name: 'e2e',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/kernels/**', ...NESTED],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // In machines that are emulated, one at a time.
        test: {
          name: 'nested',
          include: NESTED,
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // What takes minutes, and needs kernels that others have built: `make test-kernels`.
        test: {
          name: 'kernels',
          include: ['tests/kernels/**/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
