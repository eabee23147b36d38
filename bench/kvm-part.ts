// SPDX-License-Identifier: MIT
import type { KvmPlace } from './kvm.js';
import type { ExitResult, ExitSummary } from './kvm-exit-results.js';
import type { LinuxResult } from './kvm-linux-results.js';

/**
 * Our part of the CPU time of all exits of guests with Linux that ping each other, by what one exit costs: those that only
 * C++ sees, and those that JavaScript sees, each with the mean of its kind, on top of a bare exit. 0 to 1.
 */
export function partOfExits({ exits, bareCpuUs }: ExitResult, linux: LinuxResult): number {
  const seen = linux.kvmPingSeen.median;
  const unseen = linux.kvmPingExits.median - seen;
  const ours = seen * meanOver(exits, 'JavaScript') + unseen * meanOver(exits, 'C++');
  return ours / (ours + (seen + unseen) * bareCpuUs.median);
}

/** One line for each place where exits were measured. Pings were measured in one of them. */
export function formatPart(places: readonly KvmPlace[], target: number): string {
  const linux = places.find((place) => place.linux)?.linux;
  if (!linux) return '';
  return places
    .flatMap(({ place, exits }) => {
      if (!exits) return [];
      const part = partOfExits(exits, linux);
      const verdict = part <= target ? 'reached' : 'missed';
      return `Our part of all exits of the pings, with the costs of one exit ${place}: ${(part * 100).toFixed(0)} % of CPU time (at most ${target * 100} %: ${verdict})\n`;
    })
    .join('');
}

/** What exits of a kind cost more than a bare one of the same way, in microseconds of CPU time. */
function meanOver(exits: readonly ExitSummary[], handled: ExitSummary['handled']): number {
  const costs = exits
    .filter((exit) => exit.handled === handled)
    .map(({ cpuUs, cpuShare }) => cpuUs.median * Math.max(cpuShare.median, 0));
  return costs.reduce((sum, cost) => sum + cost, 0) / Math.max(costs.length, 1);
}
