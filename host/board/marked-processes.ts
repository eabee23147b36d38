// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The processes with `NAME=VALUE` in their environment, which descendants inherit wherever they go: also those that
 * have left their process group and their parent. Other users' processes cannot be looked at and are left out.
 *
 * @param proc another folder in the place of /proc, for tests
 */
export function markedProcesses(mark: string, proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(join(proc, String(pid), 'environ'), 'latin1')
          .split('\0')
          .includes(mark);
      } catch {
        // It has ended, or is not ours to look at.
        return false;
      }
    });
}
