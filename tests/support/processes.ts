// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** How often a process is looked at, whose memory is watched: nothing tells of a new peak. */
const PEAK_STEP_MS = 20;

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

/** The most memory that a process has had resident, in bytes, when it has ended; proc(5), VmHWM. */
export async function peakMemory(pid: number): Promise<number> {
  let peak = 0;
  for (;;) {
    let status: string;
    try {
      status = readFileSync(`/proc/${pid}/status`, 'latin1');
    } catch {
      return peak;
    }
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(status) ?? [];
    // A zombie has no memory left to tell of.
    if (kilobytes === undefined) return peak;
    peak = Number(kilobytes) * 1024;
    await pause(PEAK_STEP_MS);
  }
}
