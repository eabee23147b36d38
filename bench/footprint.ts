// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises';
import { allProcesses, countDescriptors, descendants, megabytes, readProcess } from './processes.js';
import type { Program } from './program.js';
import { takeSample } from './sample.js';

/** Between two looks at our process; what it uses in the last of these spans of a run is missed. */
const LOOK_MS = 10;
/** Looks at our process for one at its guests, which takes longer. */
const LOOKS = 25;

/** The most that a run holds on this machine at a time. Memory in MB (10^6 bytes). */
export interface Footprint {
  /** Resident memory of our process, what it has touched of its guests' memory included. */
  readonly ownPeakMb: number;
  /** The same without its guests' memory. */
  readonly ownPrivatePeakMb: number;
  /** Descriptors of our process. */
  readonly descriptors: number;
  readonly guestProcesses: number;
  /** Proportional set size of all guests: pages that several processes share count once. */
  readonly guestsMb: number;
}

/** Runs a topology and looks at its processes all the time, which slows it. */
export async function observeRun(name: string, file: string): Promise<Footprint> {
  let observed: Promise<Footprint> | undefined;
  const started = (program: Program) => {
    observed = watch(program);
  };
  await takeSample(name, { file, started });
  return (await observed) as Footprint;
}

async function watch(program: Program): Promise<Footprint> {
  const most = { ownPeakMb: 0, ownPrivatePeakMb: 0, descriptors: 0, guestProcesses: 0, guestsMb: 0 };
  const note = (key: keyof Footprint, value: number) => {
    most[key] = Math.max(most[key], value);
  };
  let controller: number | undefined;
  for (let look = 1; !program.over; look++) {
    await sleep(LOOK_MS);
    controller ??= allProcesses().find(({ parent }) => parent === program.pid)?.pid;
    if (controller === undefined) continue;
    const status = readProcess(controller, 'status');
    note('ownPeakMb', megabytes(status, 'VmHWM'));
    note('ownPrivatePeakMb', megabytes(status, 'RssAnon') + megabytes(status, 'RssFile'));
    if (look % LOOKS > 0) continue;
    // Our process's only other child is the shell that removes the run's folder.
    const guests = descendants(controller, allProcesses()).filter(({ name }) => name !== 'sh');
    note('descriptors', countDescriptors(controller));
    note('guestProcesses', guests.length);
    const pss = guests.map(({ pid }) => megabytes(readProcess(pid, 'smaps_rollup'), 'Pss'));
    note(
      'guestsMb',
      pss.reduce((sum, mb) => sum + mb, 0),
    );
  }
  return most;
}
