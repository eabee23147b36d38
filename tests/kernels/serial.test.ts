// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { CLOCK_STEP, SerialBench, sendTimes } from '../support/serial-bench.js';

/** Of the whole kernel; where it is there already, nothing is built. */
const BUILD_MS = 900_000;
const WITHOUT = ['um/0012-line-input.patch', 'um/0013-line-output.patch', 'um/0014-line-throttle.patch'];

let kernel: string;

const script = (command: string) =>
  spawnSync(packageFile('host/uml/kernel.sh'), [command], {
    encoding: 'utf8',
    timeout: BUILD_MS,
    env: { ...process.env, KERNEL_WITHOUT: WITHOUT.join(' ') },
  });

beforeAll(() => {
  const there = script('path');
  const { status, stdout, stderr } = there.status === 0 ? there : script('build');
  if (status !== 0) throw new Error(`the kernel without ${WITHOUT.join(', ')} was not built: ${stderr}`);
  kernel = join(stdout.trim(), 'linux');
}, BUILD_MS);

test('without the patches of serial lines, bytes do not reach a guest when they are sent', async () => {
  const times = sendTimes(0);
  const bench = new SerialBench();
  const run = await bench.run([{ name: 'a', line: 'ttyS0', times }], {
    kernel,
    settings: '{ acknowledge: false }',
  });
  // They were sent at their times.
  expect(run.inputs('a').map(({ at }) => at)).toEqual(times);
  const stamps = run.stamps('a').map(({ at }) => at);
  const exact = times.filter((at, place) => stamps[place] === at - (at % CLOCK_STEP) + CLOCK_STEP);
  expect(exact.length).toBeLessThan(times.length / 2);
});
