// SPDX-License-Identifier: MIT
import { Heap } from './heap.js';
import { after, type Duration, type Instant, NEVER, ZERO } from './time.js';

interface Edge {
  readonly to: number;
  readonly latency: Duration;
}

interface Label {
  readonly at: Instant;
  readonly domain: number;
  /** Whose next event this comes from. */
  readonly source: number;
}

/**
 * Which domain can reach which, and how fast. An edge may have latency zero (a switch is a domain of its own
 * whose whole latency lies before it); a cycle must not be all zeros, or nobody on it could ever run.
 */
export class Lookahead {
  readonly #edges: Edge[][];
  /** By the domain that is reached: how soon from each. Found when first asked for. */
  readonly #returns = new Map<number, readonly Instant[]>();

  constructor(private readonly domains: number) {
    this.#edges = Array.from({ length: domains }, () => []);
  }

  /** Whatever `from` does at t reaches `to` at t + `latency` at the earliest. The least of several counts. */
  connect(from: number, to: number, latency: Duration): void {
    const edges = this.#edges[from] as Edge[];
    const known = edges.findIndex((edge) => edge.to === to);
    if (known < 0) edges.push({ to, latency });
    else if (latency < (edges[known] as Edge).latency) edges[known] = { to, latency };
    this.#returns.clear();
  }

  /** The least time in which anything in `from` can reach `to`; NEVER where there is no way. */
  distance(from: number, to: number): Instant {
    let distances = this.#returns.get(from);
    if (distances === undefined) {
      const next = new Array<Instant>(this.domains).fill(NEVER);
      next[from] = ZERO;
      distances = this.horizons(next);
      this.#returns.set(from, distances);
    }
    return from === to ? ZERO : (distances[to] as Instant);
  }

  /**
   * How far each domain may run: the least over all other domains E of next(E) + distance(E, D). What a domain sends
   * itself by way of others is no bound from the start, for it may send nothing: whoever runs the domain shortens
   * its window when it does (Domain.post).
   *
   * One shortest-path search from all domains at once, in O((n + edges) log n): the least from another domain is
   * among the two least from different domains, so two labels for each domain are enough.
   *
   * @param next the next event of each domain
   */
  horizons(next: readonly Instant[]): Instant[] {
    const first = new Array<number | undefined>(this.domains).fill(undefined);
    const second = new Array<boolean>(this.domains).fill(false);
    const horizon = new Array<Instant>(this.domains).fill(NEVER);
    const heap = new Heap<Label>((a, b) => a.at < b.at);
    for (let domain = 0; domain < this.domains; domain++) {
      const at = next[domain] as Instant;
      if (at < NEVER) heap.push({ at, domain, source: domain });
    }
    for (let label = heap.pop(); label !== undefined; label = heap.pop()) {
      const { at, domain, source } = label;
      if (second[domain] || first[domain] === source) continue;
      if (first[domain] === undefined) first[domain] = source;
      else second[domain] = true;
      if (source !== domain && at < (horizon[domain] as Instant)) horizon[domain] = at;
      for (const edge of this.#edges[domain] as Edge[]) {
        if (edge.to === source || second[edge.to] || first[edge.to] === source) continue;
        heap.push({ at: after(at, edge.latency), domain: edge.to, source });
      }
    }
    return horizon;
  }
}
