// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/** Every process of the machine. */
export function allProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = readProcess(Number(pid), 'stat');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return parent === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), name }];
    });
}

/** The children of `pid`, their children, and so on. */
export function descendants(pid: number, all: readonly ProcessEntry[]): ProcessEntry[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendants(child.pid, all)]);
}

/** A file of /proc/PID; empty where the process has ended. */
export function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** How many descriptors a process has open; 0 where it has ended. */
export function countDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** The value of a line such as `VmHWM:   121132 kB`, in MB (10^6 bytes); 0 where there is none. */
export function megabytes(text: string, key: string): number {
  const [, kilobytes = '0'] = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}
