// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { takeSample } from './sample.js';

/** Calls of each system call. */
export type SystemCalls = ReadonlyMap<string, number>;

export function straceWorks(): boolean {
  return spawnSync('strace', ['-c', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;
}

/**
 * The system calls of our process's main thread in one run of a topology. Children are not followed: guests trace
 * processes of their own, which nobody else may trace then.
 *
 * @param file written for a moment
 */
export async function countSystemCalls(topology: string, file: string): Promise<SystemCalls> {
  await takeSample(topology, { through: ['strace', '-c', '-o', file] });
  return parseSummary(readFileSync(file, 'latin1'));
}

/** Reads the table of `strace -c`: share, seconds, microseconds a call, calls, errors where there are any, name. */
export function parseSummary(text: string): SystemCalls {
  const rows = text.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z]\w*)$/gm);
  return new Map(
    [...rows].flatMap(([, calls, name]) => (name === 'total' ? [] : [[name as string, Number(calls)]])),
  );
}
