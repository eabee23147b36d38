// SPDX-License-Identifier: MIT
import type { Hub } from '../../host/native/index.js';
import type { Warp } from '../../protocols/hypercall/index.js';
import { between, type Domain, instant } from '../calendar/index.js';
import {
  createPartitionMachine,
  Partition,
  type PartitionOwner,
  PeriodicLine,
  Schedule,
} from '../partitions/index.js';
import type { Topology } from '../topology/model.js';
import type { RunLog } from '../trace/run-log.js';
import type { Layout } from './layout.js';
import type { RunNode } from './node.js';

/** What the run hears of a partition; the rest goes to the run log. */
export type PartitionListener = Pick<
  PartitionOwner,
  'quiet' | 'rescheduled' | 'now' | 'raise' | 'broadcast' | 'failed' | 'console' | 'ended'
>;

interface Processor {
  readonly schedule: Schedule;
  readonly lines: readonly PeriodicLine[];
}

/** The processors that partitions have in turn, and what their partitions share. */
export class Processors {
  /** By the names of their partitions. */
  readonly #of = new Map<string, Processor>();

  constructor(
    private readonly topology: Topology,
    layout: Layout,
    domains: readonly Domain[],
    private readonly log: RunLog,
  ) {
    const indexes = new Map(topology.nodes.map(({ name, index }) => [name, index]));
    // Behind all that causes other events.
    let source = topology.nodes.length + topology.switches.length + topology.wires.length;
    for (const { frame, slots, lines } of topology.processors) {
      const first = indexes.get((slots[0] as (typeof slots)[0]).partition) as number;
      const domain = domains[layout.nodeDomain[first] as number] as Domain;
      const processor = {
        schedule: new Schedule(frame, slots),
        lines: lines.map(({ number, period }) => new PeriodicLine(number, period, domain, source++)),
      };
      for (const { partition } of slots) this.#of.set(partition, processor);
    }
  }

  /** @throws OneclockError `MACHINE` where this machine cannot have it, `INPUT` where its program is none */
  createPartition({ spec, domain }: RunNode, hub: Hub, listener: PartitionListener): Partition {
    const { name, index, memory, program = '' } = spec;
    const { schedule, lines } = this.#of.get(name) as Processor;
    const { log, topology } = this;
    const partition: Partition = new Partition(
      {
        id: index,
        name,
        schedule,
        machine: (handler) =>
          createPartitionMachine({ name, program, memory, timeOfDay: topology.start }, handler, hub),
      },
      {
        ...listener,
        entered: (end, warp) =>
          log.slotEntry(domain.now, index, between(domain.now, end), warp && loggedWarp(warp)),
        line: (line, kept) => log.lineRaised(domain.now, index, line, kept),
        tookLine: (line, who) => {
          for (const each of lines) if (each.number === line) each.listen(who);
        },
        warped: (sequence) => log.warpApplied(domain.now, index, sequence),
        missed: (task, deadline) =>
          log.deadlineMissed(domain.now, index, task, between(instant(deadline), domain.now)),
        ended: () => {
          for (const line of lines) line.leave(partition);
          listener.ended();
        },
        failed: (error, hung) => {
          for (const line of lines) line.leave(partition);
          listener.failed(error, hung);
        },
      },
    );
    return partition;
  }
}

function loggedWarp({ sequence, left, entered, ticks, pending }: Warp) {
  return {
    sequence,
    absent: entered - left,
    ticks,
    pending: pending.flatMap((count, line) => (count > 0 ? [{ line, count }] : [])),
  };
}
