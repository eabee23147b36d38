// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';

/** Places behind the name in /proc/PID/stat, see proc(5). */
const FIELD_PGRP = 2;
const FIELD_UTIME = 11;
const FIELD_TIMES = 4;
/** Milliseconds in a clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux. */
const TICK_MS = 10;

/** A process of one of the groups that were asked for. */
export interface GroupProcess {
  readonly pid: number;
  readonly group: number;
  /** CPU time that it has used, with the children that it has waited for. */
  readonly cpuMs: number;
}

/** The processes of these process groups. Looks at every process of the machine once. */
export function processesOf(groups: ReadonlySet<number>): GroupProcess[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const fields = statFields(entry);
    const group = Number(fields[FIELD_PGRP]);
    if (!groups.has(group)) return [];
    const times = fields.slice(FIELD_UTIME, FIELD_UTIME + FIELD_TIMES);
    return [
      { pid: Number(entry), group, cpuMs: times.reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0) },
    ];
  });
}

/** CPU time in milliseconds that each of these process groups has used. */
export function groupCpuMs(groups: ReadonlySet<number>): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { group, cpuMs } of processesOf(groups)) sums.set(group, (sums.get(group) ?? 0) + cpuMs);
  return sums;
}

/** The fields behind the name, which may hold anything; none where the process has ended meanwhile. */
function statFields(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
