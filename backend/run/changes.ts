// SPDX-License-Identifier: MIT
import type { Calendar, Lookahead } from '../calendar/index.js';
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

/**
 * Tells the lookahead the ways of a layout, and lets the changes of the topology happen at their instants: to the
 * cables, to the carriers that guests see, to the lookahead, and in the run log.
 *
 * A change is made at a barrier that no window crosses, so nobody has been granted time past its instant by the latency
 * from before (rule T6). A way that is down is none, and what was on it does not arrive; a wire that is
 * down is cut in its middle, to which its ways are as before.
 */
export function followChanges(topology: Topology, layout: Layout, changeable: Changeable): void {
  const { calendar, lookahead, network, wires, log } = changeable;
  const isWire = (name: string) => topology.wires.some((wire) => wire.name === name);
  const states = new CableStates(topology);
  const ways = new Map<string, ((state: CableState) => void)[]>();
  for (const way of layout.ways) {
    const handle = lookahead.connect(way.from, way.to, way.latency);
    const key = wayKey(way.name, way.port);
    const adapt = (state: CableState) => lookahead.change(handle, latencyOf(way, state));
    ways.set(key, [...(ways.get(key) ?? []), adapt]);
  }
  const make = (change: ChangeSpec) => {
    for (const changed of states.apply(change)) {
      const { at, name } = change;
      const lost = isWire(name) ? 0 : network.change(at, name, changed);
      if (isWire(name)) wires.change(at, name, changed.now);
      for (const adapt of ways.get(wayKey(name, changed.port)) ?? []) adapt(changed.now);
      record(topology, change, changed, lost, log);
    }
    changeable.changed();
  };
  for (const change of topology.changes) calendar.at(change.at, () => make(change));
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
