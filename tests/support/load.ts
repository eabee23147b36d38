// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs `action` while `loops` processes keep the machine busy. */
export async function underLoad<T>(loops: number, action: () => Promise<T>): Promise<T> {
  const busy = Array.from({ length: loops }, () =>
    spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  try {
    await Promise.all(busy.map((child) => once(child, 'spawn')));
    return await action();
  } finally {
    await Promise.all(
      busy.map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}
