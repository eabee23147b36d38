// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../host/package-root.js';
import { Workspace } from './support/cli.js';

const KERNEL_MS = 20_000;
/** The tests sleep for half a minute of real time; a machine that does other things too may take longer. */
const GUEST_S = 100;
/** What a sleep may take too long: a machine with more to do than it has processors stalls a guest for a second. */
const LATE_MS = '2000';
const LIMIT_MS = KERNEL_MS + (GUEST_S + 20) * 1000;

/** The folder of the guest kernel, with what modules for it are built in. */
function kernelFolder(): string {
  const { status, stdout, stderr } = spawnSync(packageFile('host/uml/kernel.sh'), ['path'], {
    encoding: 'utf8',
    timeout: KERNEL_MS,
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

/** A shell that lives by a clock of its own sleeps 1 s, and is frozen for 5 s after the first half of them. */
const FROZEN = `
name: frozen
nodes:
  a:
    kind: uml
    run: |
      read begin rest < /proc/uptime
      sh -c '
        echo 1000 > /proc/$$/dilation
        read begin rest < /proc/uptime
        sleep 1
        read end rest < /proc/uptime
        echo inside $begin $end
      ' &
      sleep 0.5
      echo 1 > /proc/$!/freeze
      echo freeze $(cat /proc/$!/freeze)
      sleep 5
      echo 0 > /proc/$!/freeze
      echo freeze $(cat /proc/$!/freeze)
      wait $!
      read end rest < /proc/uptime
      echo outside $begin $end
`;

describe('virtual time of processes, in the guest kernel', () => {
  test(
    'the tests of kernel-patches/vt pass, none left out',
    () => {
      const folder = kernelFolder();
      const { status, stdout, stderr } = spawnSync(
        packageFile('kernel-patches/vt/test.sh'),
        ['-a', 'um', '-k', join(folder, 'linux'), '-t', `${GUEST_S}`, join(folder, 'build')],
        { encoding: 'utf8', env: { ...process.env, VT_TEST_LATE_MS: LATE_MS } },
      );
      const all = `${stdout}\n${stderr}`;
      const amiss = stdout.split('\n').filter((line) => line.startsWith('not ok') || line.includes('# SKIP'));
      expect(amiss, all).toEqual([]);
      expect(stdout, all).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/m);
      expect(status, all).toBe(0);
    },
    LIMIT_MS,
  );

  test('a process of a simulated guest stands still while it is frozen, and does not see it', async () => {
    const run = (await new Workspace().runTopology(FROZEN)).expectStatus(0);
    const words = run.lines('a').map((line) => line.split(' '));
    expect(words.map(([what]) => what)).toEqual(['freeze', 'freeze', 'inside', 'outside']);
    expect(words.slice(0, 2).map(([, value]) => value)).toEqual(['1', '0']);
    const [inside, outside] = words.slice(2).map(([, begin, end]) => Number(end) - Number(begin));
    expect(inside).toBeCloseTo(1, 1);
    expect(outside).toBeCloseTo(6, 1);
  });
});
