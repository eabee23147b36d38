// SPDX-License-Identifier: MIT
import type { Calendar, CalendarEvent, Lookahead, Timeline } from '../calendar/index.js';
import { type CableState, CableStates, type ChangedCable } from '../topology/cable-states.js';
import type { ChangeSpec, Topology } from '../topology/model.js';
import type { RunLog } from '../trace/run-log.js';
import { type Layout, latencyOf } from './layout.js';
import type { Network } from './network.js';
import type { Wires } from './wires.js';

/** What changes when a link, a switch or a wire does. */
export interface Changeable {
  readonly calendar: Calendar;
  readonly lookahead: Lookahead;
  readonly network: Network;
  readonly wires: Wires;
  readonly log: Pick<RunLog, 'run' | 'wire' | 'change'>;
  /** The lookahead has become another one. */
  changed(): void;
}

/** How an event gets into the queue of a timeline: at a barrier, it is accepted; inside a window, it is posted. */
export type Put = (target: Timeline, event: CalendarEvent) => void;

/**
 * What the links, switches and wires of a run are: tells the lookahead the ways of a layout, and lets changes happen to the
 * cables, to the carriers that guests see, to the lookahead, and in the run log.
 *
 * A change of the topology is made at a barrier that no window crosses, so nobody has been granted time past its instant by
 * the latency from before (rule T6). A way that is down is none, and what was on it does not arrive; a wire that is
 * down is cut in its middle, to which its ways are as before.
 */
export class Changes {
  readonly #states: CableStates;
  readonly #ways = new Map<string, ((state: CableState) => void)[]>();

  constructor(
    private readonly topology: Topology,
    layout: Layout,
    private readonly changeable: Changeable,
  ) {
    const { calendar, lookahead } = changeable;
    this.#states = new CableStates(topology);
    for (const way of layout.ways) {
      const handle = lookahead.connect(way.from, way.to, way.latency);
      const key = wayKey(way.name, way.port);
      const adapt = (state: CableState) => lookahead.change(handle, latencyOf(way, state));
      this.#ways.set(key, [...(this.#ways.get(key) ?? []), adapt]);
    }
    const accept: Put = (target, event) => target.accept(event);
    for (const change of topology.changes) calendar.at(change.at, () => this.make(change, accept));
  }

  /** What a link, a wire, or a port of a switch is now. */
  stateOf(name: string, port: number | undefined): CableState {
    return this.#states.of(name, port);
  }

  /** Makes a change now; `change.at` is the present instant. */
  make(change: ChangeSpec, put: Put): void {
    const { network, wires, log } = this.changeable;
    const { at, name } = change;
    const isWire = this.topology.wires.some((wire) => wire.name === name);
    for (const changed of this.#states.apply(change)) {
      const lost = isWire ? 0 : network.change(at, name, changed, put);
      if (isWire) wires.change(at, name, changed.now, put);
      for (const adapt of this.#ways.get(wayKey(name, changed.port)) ?? []) adapt(changed.now);
      record(this.topology, change, changed, lost, log);
    }
    this.changeable.changed();
  }
}

function wayKey(name: string, port: number | undefined): string {
  return `${name} ${port}`;
}

function record(
  { nodes, links, switches, wires }: Topology,
  { at, name }: ChangeSpec,
  { port, now }: ChangedCable,
  lost: number,
  log: Changeable['log'],
): void {
  const isNamed = (each: { readonly name: string }) => each.name === name;
  const wire = wires.findIndex(isNamed);
  const ofNet = wire < 0 ? log.run : log.wire(wire);
  const node = port === undefined ? ofNet : nodes.length + switches.findIndex(isNamed);
  const { latency, loss, jitter, queue } = now;
  const cable = port ?? Math.max(links.findIndex(isNamed), 0);
  log.change(at, node, { cable, down: !now.up, latency, rate: now.rate ?? 0n, loss, jitter, queue, lost });
}
