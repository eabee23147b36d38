// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { packageFile } from '../host/package-root.js';

/** The build takes some seconds, and so do the tests in the guest, which keeps real time. */
const LIMIT_MS = 300_000;

test(
  'the kernel module vtgpio passes its own tests in the guest kernel',
  () => {
    const { status, stdout, stderr } = spawnSync(packageFile('kmod/test.sh'), ['--cycles', '30', 'uml'], {
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    // The guest kernel has all that they need, virtual time included: none is skipped.
    const amiss = stdout.split('\n').filter((line) => /^not ok|# SKIP/.test(line));
    expect(amiss, `${stdout}\n${stderr}`).toEqual([]);
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  },
  LIMIT_MS,
);
