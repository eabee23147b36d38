// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';

/** Whether a program of this machine can be started: tests that need it are skipped by its name where it is not. */
export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}
