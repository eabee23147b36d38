// SPDX-License-Identifier: MIT
import { Agenda, type Entry, entry } from './agenda.js';
import { Heap } from './heap.js';
import type { Core, Leaf, Lookahead, Structure } from './lookahead.js';
import { after, duration, earlier, type Instant, NEVER } from './time.js';

/** What a domain may run through before the next barrier: up to, and not including, `horizon`. */
export interface Window {
  readonly domain: number;
  readonly horizon: Instant;
}

/** How soon something that another domain does can be at a core; nanoseconds after the earliest event of all. */
interface Label {
  readonly at: number;
  readonly core: number;
  /** Whose next event it comes from. */
  readonly source: number;
}

/** A core while windows are looked for: its two earliest labels from different domains. */
interface Reach {
  first: number;
  firstFrom: number;
  second: number;
  secondFrom: number;
}

const FAR = Number.POSITIVE_INFINITY;

/**
 * Finds the windows: how far each domain may run is the least over all other domains E of next(E) + distance(E, D).
 * What a domain sends itself by way of others is no bound from the start, for it may send nothing: whoever runs the
 * domain shortens its window when it does (Domain.post).
 *
 * One shortest-path search from all domains at once. The least from another domain is among the two least from
 * different domains, so two labels are enough. Only cores are searched, since a leaf (a node at a switch, say) leads
 * nowhere else: of the leaves of a core, those count that can reach it first, and those that are ready. So idle leaves
 * cost nothing, and a barrier costs O(c log c + r log n) for c cores and r domains that have changed or are ready.
 *
 * Within a search, instants are numbers of nanoseconds since the earliest event. They are below the limit of the
 * windows, and so exact.
 */
export class Windows {
  readonly #next: Instant[];
  #structure: Structure;
  /** By the place of a core: its leaves by their next events. */
  #leaves: Agenda<Leaf>[] = [];
  #entries: (Entry<Leaf> | undefined)[] = [];
  /** By the place of a core: the longest way down to a leaf. */
  #deepest: number[] = [];
  #reach: Reach[] = [];
  readonly #heap = new Heap<Label>((a, b) => a.at < b.at);

  constructor(
    private readonly lookahead: Lookahead,
    domains: number,
  ) {
    this.#next = new Array<Instant>(domains).fill(NEVER);
    this.#structure = lookahead.structure;
    this.#adopt(this.#structure);
  }

  /** The next event of `domain` is at `next`. */
  update(domain: number, next: Instant): void {
    this.#next[domain] = next;
    const item = this.#entries[domain];
    if (item) this.#leaves[this.#structure.coreOf[domain] as number]?.set(item, next);
  }

  /** The earliest event of all. */
  get safe(): Instant {
    let safe = NEVER;
    this.#structure.cores.forEach(({ domain }, place) => {
      safe = earlier(
        safe,
        earlier(this.#next[domain] as Instant, (this.#leaves[place] as Agenda<Leaf>).next),
      );
    });
    return safe;
  }

  /**
   * The domains that have something to do before they can be reached.
   *
   * @param base the earliest event of all
   * @param span no window goes further than this past it; nanoseconds, below 2^53
   */
  open(base: Instant, span: number): Window[] {
    const { structure } = this.lookahead;
    if (structure !== this.#structure) this.#adopt(structure);
    this.#search(base, span);
    const windows: Window[] = [];
    const offer = (domain: number, horizon: number) => {
      const at = after(base, duration(BigInt(Math.min(horizon, span))));
      if ((this.#next[domain] as Instant) < at) windows.push({ domain, horizon: at });
    };
    structure.cores.forEach(({ domain }, place) => {
      const reach = this.#reach[place] as Reach;
      offer(domain, foreign(reach, domain));
      // Whoever is the first here is bound by the second; all others by the first.
      const bound = Math.min(span, reach.first + (this.#deepest[place] as number));
      const limit = after(base, duration(BigInt(bound)));
      let first = structure.coreOf[reach.firstFrom] === place ? structure.leafOf[reach.firstFrom] : undefined;
      this.#leaves[place]?.before(
        () => limit,
        ({ owner }) => {
          offer(owner.domain, foreign(reach, owner.domain) + nanoseconds(owner.down));
          if (owner === first) first = undefined;
        },
      );
      if (first) offer(first.domain, reach.second + nanoseconds(first.down));
    });
    return windows.sort((a, b) => a.domain - b.domain);
  }

  #adopt(structure: Structure): void {
    this.#structure = structure;
    this.#leaves = structure.cores.map(() => new Agenda<Leaf>());
    this.#deepest = structure.cores.map(({ leaves }) =>
      leaves.reduce((deepest, { down }) => Math.max(deepest, nanoseconds(down)), 0),
    );
    this.#reach = structure.cores.map(() => ({ first: FAR, firstFrom: -1, second: FAR, secondFrom: -1 }));
    this.#entries = structure.leafOf.map((leaf) => leaf && entry(leaf, leaf.domain));
    this.#next.forEach((next, domain) => {
      this.update(domain, next);
    });
  }

  /** Finds the labels of all cores that are below `span`. */
  #search(base: Instant, span: number): void {
    const { cores } = this.#structure;
    const relative = (at: Instant) => (at === NEVER ? FAR : Number(at - base));
    for (const reach of this.#reach) {
      reach.first = reach.second = FAR;
      reach.firstFrom = reach.secondFrom = -1;
    }
    cores.forEach(({ domain }, place) => {
      this.#offer(place, relative(this.#next[domain] as Instant), domain, span);
      const reach = this.#reach[place] as Reach;
      // Later ones cannot be among the two first.
      const limit = () => after(base, duration(BigInt(Math.min(span, reach.second))));
      this.#leaves[place]?.before(limit, ({ owner, at }) => {
        this.#offer(place, relative(at) + nanoseconds(owner.up), owner.domain, span);
      });
    });
    for (let label = this.#heap.pop(); label !== undefined; label = this.#heap.pop()) {
      const { at, core, source } = label;
      const { first, firstFrom, second, secondFrom } = this.#reach[core] as Reach;
      const holds = (source === firstFrom && at === first) || (source === secondFrom && at === second);
      if (!holds) continue;
      for (const { to, latency } of (cores[core] as Core).ways) {
        this.#offer(to, at + Number(latency), source, span);
      }
    }
  }

  /** Takes a label where it is one of the two least from different domains. */
  #offer(core: number, at: number, source: number, span: number): void {
    if (at >= span) return;
    const reach = this.#reach[core] as Reach;
    if (source === reach.firstFrom) {
      if (at >= reach.first) return;
      reach.first = at;
    } else if (at < reach.first) {
      reach.second = reach.first;
      reach.secondFrom = reach.firstFrom;
      reach.first = at;
      reach.firstFrom = source;
    } else {
      if (at >= reach.second) return;
      reach.second = at;
      reach.secondFrom = source;
    }
    this.#heap.push({ at, core, source });
  }
}

/** How soon others than `domain` can be at a core. */
function foreign(reach: Reach, domain: number): number {
  return reach.firstFrom === domain ? reach.second : reach.first;
}

function nanoseconds(latency: bigint | undefined): number {
  return latency === undefined ? FAR : Number(latency);
}
