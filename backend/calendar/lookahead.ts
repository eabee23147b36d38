// SPDX-License-Identifier: MIT
import { Heap } from './heap.js';
import { after, type Duration, type Instant, NEVER, ZERO } from './time.js';

/** A way from one domain to another. */
export interface Way {
  readonly from: number;
  readonly to: number;
  /** Whatever `from` does at t reaches `to` at t + `latency` at the earliest; undefined: there is no way now. */
  readonly latency: Duration | undefined;
}

/** A domain whose ways all lead to or from one other. */
export interface Leaf {
  readonly domain: number;
  /** To its core. */
  readonly up: Duration | undefined;
  /** From its core. */
  readonly down: Duration | undefined;
}

/** A domain that others may be reached by, with its leaves. */
export interface Core {
  readonly domain: number;
  readonly leaves: readonly Leaf[];
  /** The ways to other cores, the least to each; by their places. */
  readonly ways: readonly { readonly to: number; readonly latency: Duration }[];
}

/** The domains, so that those that lead nowhere need not be looked at on the way to others. */
export interface Structure {
  readonly cores: readonly Core[];
  /** By domain: the place of its core, which it may be itself. */
  readonly coreOf: readonly number[];
  /** By domain; undefined for a core. */
  readonly leafOf: readonly (Leaf | undefined)[];
}

/**
 * Which domain can reach which, and how fast. A way may have latency zero (a switch is a domain of its own whose
 * whole latency lies before it); a cycle must not be all zeros, or nobody on it could ever run.
 */
export class Lookahead {
  readonly #ways: Way[] = [];
  #structure: Structure | undefined;
  /** By the place of a core: how far the others are. Found when first asked for. */
  readonly #distances = new Map<number, readonly Instant[]>();

  constructor(private readonly domains: number) {}

  /** Makes a way. Of several between two domains the least counts. */
  connect(from: number, to: number, latency: Duration | undefined): Way {
    const way = { from, to, latency };
    if (from !== to) this.#ways.push(way);
    this.#forget();
    return way;
  }

  /** From now on `way` takes `latency`; undefined: there is none for the time being. */
  change(way: Way, latency: Duration | undefined): void {
    (way as { latency: Duration | undefined }).latency = latency;
    this.#forget();
  }

  /** The same object as long as nothing has changed. */
  get structure(): Structure {
    this.#structure ??= this.#arrange();
    return this.#structure;
  }

  /** The least time in which anything in `from` can reach `to`; NEVER where there is no way. */
  distance(from: number, to: number): Instant {
    if (from === to) return ZERO;
    const { coreOf, leafOf } = this.structure;
    const [start, end] = [coreOf[from] as number, coreOf[to] as number];
    const [first, last] = [leafOf[from], leafOf[to]];
    const up = first === undefined ? ZERO : first.up;
    const down = last === undefined ? ZERO : last.down;
    if (up === undefined || down === undefined) return NEVER;
    const between = start === end ? ZERO : (this.#from(start)[end] as Instant);
    return after(between, (up + down) as Duration);
  }

  #forget(): void {
    this.#structure = undefined;
    this.#distances.clear();
  }

  #arrange(): Structure {
    const least = Array.from({ length: this.domains }, () => new Map<number, Duration>());
    const neighbours = Array.from({ length: this.domains }, () => new Set<number>());
    for (const { from, to, latency } of this.#ways) {
      if (latency === undefined) continue;
      const known = least[from]?.get(to);
      if (known === undefined || latency < known) least[from]?.set(to, latency);
      neighbours[from]?.add(to);
      neighbours[to]?.add(from);
    }
    /** Of two that have only each other, the first is the core. */
    const hub = neighbours.map((near, domain) => {
      const [only] = near;
      if (near.size !== 1 || only === undefined) return undefined;
      return (neighbours[only] as Set<number>).size > 1 || only < domain ? only : undefined;
    });
    const members = hub.flatMap((leads, domain) => (leads === undefined ? [domain] : []));
    const places = new Map(members.map((domain, place) => [domain, place]));
    const leafOf = hub.map((core, domain): Leaf | undefined =>
      core === undefined
        ? undefined
        : { domain, up: least[domain]?.get(core), down: least[core]?.get(domain) },
    );
    const coreOf = hub.map((core, domain) => places.get(core ?? domain) as number);
    const leaves: Leaf[][] = members.map(() => []);
    for (const leaf of leafOf) if (leaf) leaves[coreOf[leaf.domain] as number]?.push(leaf);
    const cores = members.map((domain, place) => ({
      domain,
      leaves: leaves[place] as Leaf[],
      ways: [...(least[domain] as Map<number, Duration>)]
        .filter(([to]) => places.has(to))
        .map(([to, latency]) => ({ to: places.get(to) as number, latency })),
    }));
    return { cores, coreOf, leafOf };
  }

  /** How far each core is from that at `place`. */
  #from(place: number): readonly Instant[] {
    const known = this.#distances.get(place);
    if (known) return known;
    const { cores } = this.structure;
    const distances = cores.map(() => NEVER);
    const heap = new Heap<{ at: Instant; core: number }>((a, b) => a.at < b.at);
    heap.push({ at: ZERO, core: place });
    for (let label = heap.pop(); label !== undefined; label = heap.pop()) {
      const { at, core } = label;
      if (at >= (distances[core] as Instant)) continue;
      distances[core] = at;
      for (const { to, latency } of (cores[core] as Core).ways) {
        const reached = after(at, latency);
        if (reached < (distances[to] as Instant)) heap.push({ at: reached, core: to });
      }
    }
    this.#distances.set(place, distances);
    return distances;
  }
}
