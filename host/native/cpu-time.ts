// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds in a clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux. */
const TICK_NS = 10_000_000;

/** Place of the process group and of the CPU times behind the name in /proc/PID/stat, see proc(5). */
const FIELD_PGRP = 2;
const FIELD_UTIME = 11;
const FIELD_TIMES = 4;

/**
 * CPU time in milliseconds that each of these process groups has used, with the children that its processes have
 * waited for. Reads every process of the machine once.
 */
export function groupCpuMs(groups: ReadonlySet<number>): Map<number, number> {
  const sums = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statFields(entry);
    const group = Number(fields[FIELD_PGRP]);
    if (!groups.has(group)) continue;
    const ticks = fields
      .slice(FIELD_UTIME, FIELD_UTIME + FIELD_TIMES)
      .reduce((sum, value) => sum + Number(value), 0);
    sums.set(group, (sums.get(group) ?? 0) + (ticks * TICK_NS) / 1e6);
  }
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
