// SPDX-License-Identifier: MIT
import type { Warp } from '../../../protocols/hypercall/index.js';
import { Calendar, EventKind, type Instant, Lookahead, type ParticipantHost } from '../../calendar/index.js';
import {
  Partition,
  type PartitionMachine,
  type PartitionMachineHandler,
  PeriodicLine,
  Schedule,
  type SlotSpec,
} from '../index.js';

export interface WorldOptions {
  readonly frame: Schedule['frame'];
  readonly slots: readonly SlotSpec[];
  readonly lines: readonly { readonly number: number; readonly period: Schedule['frame'] }[];
  /** Makes the machine of each partition. */
  readonly machines: ReadonlyMap<string, (handler: PartitionMachineHandler) => PartitionMachine>;
  readonly until: Instant;
  /** From here on the lines are still. */
  readonly linesUntil?: Instant;
}

/** What a world has told, in order: `time partition what`. */
export type Log = string[];

export interface World {
  readonly log: Log;
  readonly warps: Map<string, Warp[]>;
  readonly partitions: Map<string, Partition>;
  /** Each raise of a line that a partition had taken. */
  readonly raised: {
    readonly name: string;
    readonly line: number;
    readonly at: bigint;
    readonly kept: boolean;
  }[];
  /** Whether it has come to its end. */
  over(): boolean;
  start(): void;
}

/** One processor with partitions. */
export function world({ frame, slots, lines, machines, until, linesUntil }: WorldOptions): World {
  const log: Log = [];
  const schedule = new Schedule(frame, slots);
  let over = false;
  const calendar = new Calendar({
    jobs: 1,
    until,
    activated: () => undefined,
    barrier: () => undefined,
    ended: () => {
      over = true;
    },
  });
  const domain = calendar.addDomain();
  const made: World = {
    log,
    warps: new Map(),
    partitions: new Map(),
    raised: [],
    over: () => over,
    start: () => calendar.start(new Lookahead(1)),
  };
  const sources = lines.map((line, place) => new PeriodicLine(line.number, line.period, domain, 100 + place));
  [...machines].forEach(([name, machine], id) => {
    const note = (what: string) => log.push(`${domain.now} ${name} ${what}`);
    let host: ParticipantHost | undefined;
    const partition: Partition = new Partition(
      {
        id,
        name,
        schedule,
        machine,
      },
      {
        quiet: () => host?.quiet(),
        rescheduled: () => host?.rescheduled(),
        now: () => domain.now,
        raise: () => undefined,
        broadcast: () => undefined,
        failed: (error, hung) => {
          note(`failed${hung ? ' and hung' : ''}: ${error.message}`);
          host?.gone();
        },
        ended: () => {
          note('ended');
          host?.gone();
        },
        console: (bytes) => note(`says ${Buffer.from(bytes)}`),
        entered: (end, warp) => {
          note(`enters to ${end}, ticks ${warp?.ticks}`);
          const warps = made.warps.get(name) ?? [];
          if (warp) made.warps.set(name, [...warps, warp]);
        },
        line: (line, kept) => {
          note(`line ${line}${kept ? ' kept' : ''}`);
          made.raised.push({ name, line, at: domain.now, kept });
        },
        tookLine: (line, listener) => {
          for (const source of sources) if (source.number === line) source.listen(listener);
        },
        warped: (sequence) => note(`warped ${sequence}`),
        missed: (task, deadline) => note(`missed ${task} at ${deadline}`),
      },
    );
    host = domain.add(partition);
    made.partitions.set(name, partition);
  });
  if (linesUntil !== undefined) {
    domain.post(domain, {
      at: linesUntil,
      kind: EventKind.CHANGE,
      source: 0,
      sequence: 0,
      apply: () => {
        for (const source of sources) for (const each of made.partitions.values()) source.leave(each);
      },
    });
  }
  return made;
}
