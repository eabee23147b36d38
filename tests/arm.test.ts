// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { packageFile } from '../host/package-root.js';

/** The kernel is there already when `make` has started this; the machine is emulated. All tests: `make test-kernels`. */
const LIMIT_MS = 600_000;
/** Of each of the two starts, which is a quarter of a minute on a quiet machine. */
const START_LIMIT_S = '200';

test(
  'the kernel module vtgpio hides frozen time on ARM, with lines of a cable and of the device tree',
  () => {
    const { status, stdout, stderr } = spawnSync(
      packageFile('host/arm/test.sh'),
      ['--only', 'time', 'virt'],
      {
        encoding: 'utf8',
        env: { ...process.env, ONECLOCK_ARM_LIMIT_S: START_LIMIT_S },
        timeout: LIMIT_MS,
      },
    );
    const said = `${stdout}\n${stderr}`;
    expect(stdout.match(/^not ok.*/gm) ?? [], said).toEqual([]);
    expect(stdout, said).toMatch(/^ok \d+ - frozen time/m);
    expect(stdout, said).toContain('\n2 passed, 0 failed');
    expect(status, said).toBe(0);
  },
  LIMIT_MS,
);
