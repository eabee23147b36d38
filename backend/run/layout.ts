// SPDX-License-Identifier: MIT
import type { Duration } from '../calendar/index.js';
import { NO_TIME } from '../calendar/index.js';
import type { Topology } from '../topology/model.js';

/** A way from one domain to another, and the least time it takes. */
export interface Way {
  readonly from: number;
  readonly to: number;
  readonly latency: Duration;
  /** The link or switch that it leads through. */
  readonly name: string;
}

/** Which nodes and switches share a domain, and how domains reach each other. */
export interface Layout {
  readonly domains: number;
  /** By the node's index. */
  readonly nodeDomain: readonly number[];
  /** By the place of the switch in the topology. */
  readonly switchDomain: readonly number[];
  readonly ways: readonly Way[];
}

/**
 * Finds the domains of a topology: whatever is joined with no latency is one. A switch is a domain of its own,
 * with its whole latency on the way in and none on the way out, so that its fabric sees the frames of all its
 * ports in the order of time; a switch without latency belongs to its nodes' domain.
 */
export function layOut(topology: Topology): Layout {
  const nodes = topology.nodes.length;
  const index = new Map(topology.nodes.map((node) => [node.name, node.index]));
  const parent = Array.from({ length: nodes + topology.switches.length }, (_, place) => place);
  const find = (place: number): number => {
    let root = place;
    while (parent[root] !== root) root = parent[root] as number;
    return root;
  };
  const ways: { a: number; b: number; there: Duration; back: Duration; name: string }[] = [];
  const join = (a: number, b: number, there: Duration, back: Duration, name: string) => {
    if (there === NO_TIME && back === NO_TIME) {
      // The lower place is the root, so that domains are numbered in the order of the file.
      const [low, high] = [find(a), find(b)].sort((x, y) => x - y) as [number, number];
      parent[high] = low;
    } else {
      ways.push({ a, b, there, back, name });
    }
  };
  for (const { between, latency, name } of topology.links) {
    join(index.get(between[0].node) as number, index.get(between[1].node) as number, latency, latency, name);
  }
  topology.switches.forEach(({ ports, latency, name }, place) => {
    for (const port of ports) join(index.get(port.node) as number, nodes + place, latency, NO_TIME, name);
  });
  const numbers = new Map<number, number>();
  const domainOf = parent.map((_, place) => {
    const root = find(place);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root) as number;
  });
  return {
    domains: numbers.size,
    nodeDomain: domainOf.slice(0, nodes),
    switchDomain: domainOf.slice(nodes),
    ways: ways
      .flatMap(({ a, b, there, back, name }) => {
        const [from, to] = [domainOf[a] as number, domainOf[b] as number];
        return [
          { from, to, latency: there, name },
          { from: to, to: from, latency: back, name },
        ];
      })
      .filter(({ from, to }) => from !== to),
  };
}
