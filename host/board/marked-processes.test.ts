// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { markedProcesses } from './marked-processes.js';

test('finds who has the mark, and nobody who has a longer or a shorter one', async () => {
  const child = spawn('/bin/sh', ['-c', 'echo up; read -r _'], {
    env: { BOARD_TEST: 'abc' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  expect(markedProcesses('BOARD_TEST=abc')).toEqual([child.pid]);
  expect(markedProcesses('BOARD_TEST=ab')).toEqual([]);
  expect(markedProcesses('BOARD_TEST=abcd')).toEqual([]);
  child.stdin.end('\n');
  await once(child, 'exit');
  expect(markedProcesses('BOARD_TEST=abc')).toEqual([]);
});
