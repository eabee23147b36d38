// SPDX-License-Identifier: MIT
import type { Duration } from '../calendar/index.js';
import { NO_TIME } from '../calendar/index.js';
import type { CableState } from '../topology/cable-states.js';
import type { Topology } from '../topology/model.js';

/** A way from one domain to another, and the least time it takes when the run begins. */
export interface Way {
  readonly from: number;
  readonly to: number;
  readonly latency: Duration;
  /** The link, switch or wire that it leads through. */
  readonly name: string;
  /** The index of the switch's port; undefined: it is a link or a wire. */
  readonly port: number | undefined;
  /** It leads out of a switch or a wire, whose latency lies on the way in. */
  readonly egress: boolean;
  /** It is there also while it is down: a wire that is cut still has to know what its pins do. */
  readonly always: boolean;
}

/** Which nodes, switches and wires share a domain, and how domains reach each other. */
export interface Layout {
  readonly domains: number;
  /** By the node's index. */
  readonly nodeDomain: readonly number[];
  /** By the place of the switch in the topology. */
  readonly switchDomain: readonly number[];
  /** By the place of the wire in the topology; that of the wire that freezes boards is of no use. */
  readonly wireDomain: readonly number[];
  /** By the place of the shared variable in the topology. */
  readonly sharedDomain: readonly number[];
  /** Where the script is, and every guest with it; undefined: there is none. */
  readonly script: number | undefined;
  /** Where all boards are; undefined: there are none. */
  readonly boards: number | undefined;
  readonly ways: readonly Way[];
}

/**
 * A link between the places `a` and `b`, the cable between node `a` and port `port` of switch `b`, a pin of node `a` on wire
 * `b`, or the share of node `a` in variable `b`.
 */
interface Joint {
  readonly a: number;
  readonly b: number;
  readonly name: string;
  readonly port: number | undefined;
  readonly kind: 'link' | 'switch' | 'wire' | 'freeze' | 'shared';
  readonly spec: { readonly latency: Duration };
}

/**
 * Finds the domains of a topology: whatever is joined with no latency, at any time of the run, is one for all of it. A
 * switch is a domain of its own, with its whole latency on the way in and none on the way out, so that its fabric sees
 * the frames of all its ports in the order of time; a switch without latency belongs to its nodes' domain. Wires and shared
 * variables are like switches.
 *
 * All boards are one domain, since they share a clock. What a guest does to the wire that freezes them reaches them after
 * its latency; the other way it is not virtual time that passes, for it stands still with the boards.
 *
 * A script can touch every guest with no virtual delay: they are one domain with it, as are the links, switches, wires and
 * variables between them.
 *
 * @param scripted whether there is a script
 */
export function layOut(topology: Topology, scripted = false): Layout {
  const nodes = topology.nodes.length;
  const wires = nodes + topology.switches.length;
  const shared = wires + topology.wires.length;
  const script = shared + topology.shared.length;
  const parent = Array.from({ length: script + (scripted ? 1 : 0) }, (_, place) => place);
  const find = (place: number): number => {
    let root = place;
    while (parent[root] !== root) root = parent[root] as number;
    return root;
  };
  const join = (a: number, b: number): void => {
    // The lower place is the root, so that domains are numbered in the order of the file.
    const [low, high] = [find(a), find(b)].sort((x, y) => x - y) as [number, number];
    parent[high] = low;
  };
  const boards = topology.nodes.filter(({ board }) => board !== undefined).map(({ index }) => index);
  for (const board of boards) join(boards[0] as number, board);
  // Partitions of a processor have it in turn.
  const indexes = new Map(topology.nodes.map(({ name, index }) => [name, index]));
  for (const { slots } of topology.processors) {
    const places = slots.map(({ partition }) => indexes.get(partition) as number);
    for (const place of places) join(places[0] as number, place);
  }
  const least = leastLatencies(topology);
  const apart: Joint[] = [];
  for (const joint of jointsOf(topology)) {
    if (least(joint) === NO_TIME) join(joint.a, joint.b);
    else apart.push(joint);
  }
  if (scripted) {
    const withBoards = new Set(apart.flatMap(({ a, b }) => (boards.includes(a) ? b : [])));
    for (const { index, board } of topology.nodes) if (!board) join(index, script);
    for (let place = nodes; place < script; place++) if (!withBoards.has(place)) join(place, script);
  }
  const numbers = new Map<number, number>();
  const domainOf = parent.map((_, place) => {
    const root = find(place);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root) as number;
  });
  const boardDomain = boards[0] === undefined ? undefined : (domainOf[boards[0]] as number);
  return {
    domains: numbers.size,
    script: scripted ? domainOf[script] : undefined,
    boards: boardDomain,
    nodeDomain: domainOf.slice(0, nodes),
    switchDomain: domainOf.slice(nodes, wires),
    wireDomain: domainOf.slice(wires, shared),
    sharedDomain: domainOf.slice(shared, script),
    ways: apart
      .flatMap(({ a, b, name, port, kind, spec }): Way[] => {
        const from = domainOf[a] as number;
        if (kind === 'freeze') {
          const to = boardDomain as number;
          return [{ from, to, latency: spec.latency, name, port, egress: false, always: true }];
        }
        const to = domainOf[b] as number;
        const egress = kind !== 'link';
        const back = egress ? NO_TIME : spec.latency;
        const always = kind === 'wire' || kind === 'shared';
        return [
          { from, to, latency: spec.latency, name, port, egress: false, always },
          { from: to, to: from, latency: back, name, port, egress, always },
        ];
      })
      .filter(({ from, to }) => from !== to),
  };
}

/** The least time that a way takes in a state of its link, port or wire; undefined: nothing gets through. */
export function latencyOf(way: Way, state: CableState): Duration | undefined {
  if (!state.up && !way.always) return undefined;
  return way.egress ? NO_TIME : state.latency;
}

/** Nodes have the places of their indexes, then come switches, wires and shared variables. */
function jointsOf({ nodes, links, switches, wires, shared }: Topology): Joint[] {
  const index = new Map(nodes.map((node) => [node.name, node.index]));
  const place = (node: string) => index.get(node) as number;
  return [
    ...links.map((spec) => {
      const [a, b] = spec.between;
      return {
        a: place(a.node),
        b: place(b.node),
        name: spec.name,
        port: undefined,
        kind: 'link' as const,
        spec,
      };
    }),
    ...switches.flatMap((spec, number) =>
      spec.ports.map((end, port) => {
        const b = nodes.length + number;
        return { a: place(end.node), b, name: spec.name, port, kind: 'switch' as const, spec };
      }),
    ),
    ...wires.flatMap((spec, number) => {
      const b = nodes.length + switches.length + number;
      const kind = spec.role ?? ('wire' as const);
      // Lines of this machine are where the boards are.
      const host = spec.host && kind === 'wire' ? nodes.filter(({ board }) => board).slice(0, 1) : [];
      const places = [...spec.pins.map(({ node }) => place(node)), ...host.map(({ index }) => index)];
      return places.map((a) => ({ a, b, name: spec.name, port: undefined, kind, spec }));
    }),
    ...shared.flatMap((spec, number) => {
      const b = nodes.length + switches.length + wires.length + number;
      const kind = 'shared' as const;
      // It may be called like a link, of which changes tell.
      const name = `shared ${spec.name}`;
      return spec.between.map((node) => ({ a: place(node), b, name, port: undefined, kind, spec }));
    }),
  ];
}

/** The least latency that each link, port and wire has at any time of the run. */
function leastLatencies({ changes }: Topology): (joint: Joint) => Duration {
  const least = new Map<string, Duration>();
  const key = (name: string, port: number | undefined) => `${name} ${port ?? 'all'}`;
  for (const { name, port, cable } of changes) {
    const known = least.get(key(name, port));
    if (cable.latency === undefined || (known !== undefined && known <= cable.latency)) continue;
    least.set(key(name, port), cable.latency);
  }
  return ({ name, port, spec }) => {
    const ofAll = least.get(key(name, undefined)) ?? spec.latency;
    const ofPort = least.get(key(name, port)) ?? spec.latency;
    return [ofAll, ofPort, spec.latency].reduce((a, b) => (a < b ? a : b));
  };
}
