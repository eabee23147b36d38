// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of this machine. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly folder: string;
}

/** The processes that `mark` is in the environment of, or that work in a folder below `folder`. */
export function processesOf(mark: string, folder: string): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const found = look(Number(name));
      if (found === undefined) return [];
      const { process, environment } = found;
      return environment.includes(mark) || `${process.folder}/`.startsWith(`${folder}/`) ? [process] : [];
    });
}

/** Undefined where it has ended, zombies included. */
function look(pid: number): { process: Process; environment: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return {
      process: {
        pid,
        parent: Number(parent),
        command: readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim(),
        folder: readlinkSync(`/proc/${pid}/cwd`),
      },
      environment: readFileSync(`/proc/${pid}/environ`, 'latin1'),
    };
  } catch {
    return undefined;
  }
}
