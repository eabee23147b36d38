// SPDX-License-Identifier: MIT
import { Heap } from './heap.js';
import { after, type Duration, type Instant, NEVER, ZERO } from './time.js';

interface Edge {
  readonly to: number;
  readonly latency: Duration;
}

interface Entry {
  readonly at: Instant;
  readonly domain: number;
}

/**
 * Which domain can reach which, and how fast. An edge may have latency zero (a switch is a domain of its own
 * whose whole latency lies before it); a cycle must not be all zeros, or nobody on it could ever run.
 */
export class Lookahead {
  readonly #edges: Edge[][];

  constructor(private readonly domains: number) {
    this.#edges = Array.from({ length: domains }, () => []);
  }

  /** Whatever `from` does at t reaches `to` at t + `latency` at the earliest. The least of several counts. */
  connect(from: number, to: number, latency: Duration): void {
    const edges = this.#edges[from] as Edge[];
    const known = edges.findIndex((edge) => edge.to === to);
    if (known < 0) edges.push({ to, latency });
    else if (latency < (edges[known] as Edge).latency) edges[known] = { to, latency };
  }

  /** The least time from `from` to every domain; NEVER where there is no way. */
  distances(from: number): Instant[] {
    const next = new Array<Instant>(this.domains).fill(NEVER);
    next[from] = ZERO;
    return this.horizons(next);
  }

  /**
   * How far each domain may run: the least over all domains E of next(E) + distance(E, D), the way from D
   * around to itself included. One shortest-path search from all domains at once, in O((n + edges) log n).
   *
   * @param next the next event of each domain
   */
  horizons(next: readonly Instant[]): Instant[] {
    const horizon = new Array<Instant>(this.domains).fill(NEVER);
    const settled = new Array<boolean>(this.domains).fill(false);
    const heap = new Heap<Entry>((a, b) => a.at < b.at);
    for (let domain = 0; domain < this.domains; domain++) {
      const at = next[domain] as Instant;
      if (at < NEVER) heap.push({ at, domain });
    }
    for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
      if (settled[entry.domain]) continue;
      settled[entry.domain] = true;
      for (const edge of this.#edges[entry.domain] as Edge[]) {
        const reached = after(entry.at, edge.latency);
        if (reached >= (horizon[edge.to] as Instant)) continue;
        horizon[edge.to] = reached;
        if (!settled[edge.to]) heap.push({ at: reached, domain: edge.to });
      }
    }
    return horizon;
  }
}
