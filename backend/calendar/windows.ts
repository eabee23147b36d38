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

const FAR = Number.POSITIVE_INFINITY;
const NOBODY = -1;

/** A core and its leaves. */
class Group {
  /** The leaves, by their next events. */
  readonly leaves = new Agenda<Leaf>();
  /** The longest way down to a leaf. */
  readonly deepest: number;
  /** Its place among the groups, by the earliest event of its domains. */
  readonly entry: Entry<Group>;
  /** How soon two other domains can be at the core: the earliest two that are known. */
  first = FAR;
  firstFrom = NOBODY;
  second = FAR;
  secondFrom = NOBODY;

  constructor(
    readonly core: Core,
    place: number,
  ) {
    this.deepest = core.leaves.reduce((most, { down }) => Math.max(most, nanoseconds(down)), 0);
    this.entry = entry<Group>(this, place);
  }

  /** @returns whether it is one of the two earliest from different domains, and new */
  label(at: number, source: number): boolean {
    if (source === this.firstFrom) {
      if (at >= this.first) return false;
      this.first = at;
    } else if (at < this.first) {
      this.second = this.first;
      this.secondFrom = this.firstFrom;
      this.first = at;
      this.firstFrom = source;
    } else {
      if (at >= this.second) return false;
      this.second = at;
      this.secondFrom = source;
    }
    return true;
  }

  /** Whether a label is still one of the two. */
  holds(at: number, source: number): boolean {
    return (
      (source === this.firstFrom && at === this.first) || (source === this.secondFrom && at === this.second)
    );
  }

  forget(): void {
    this.first = this.second = FAR;
    this.firstFrom = this.secondFrom = NOBODY;
  }
}

/** A step of the search: `source`'s next event can be at `group`'s core at `at`; without a source, `group`'s turn has come. */
interface Step {
  readonly at: number;
  readonly group: Group;
  readonly source: number;
}

/** What a search may cost in steps: so many, and so many more for each group that will have something to do. */
const STEPS = 64;
const STEPS_EACH = 8;

/**
 * Finds the windows: how far each domain may run is the least over all other domains E of next(E) + distance(E, D).
 * What a domain sends itself by way of others is no bound from the start, for it may send nothing: whoever runs the
 * domain shortens its window when it does (Domain.post).
 *
 * One shortest-path search from all domains at once, in the order of time. The least from another domain is among the
 * two least from different domains, so two labels are enough. Only cores are searched, since a leaf (a node at a switch,
 * say) leads nowhere else; of the leaves of a core, those are looked at that can reach it first, and those that are
 * ready. Groups come into the search when their time comes. Where many domains are on the way and few have anything to
 * do, the search stops, and all windows end there at the latest. So a domain that has nothing to do costs nothing, and
 * a barrier costs O(r log n) for r domains that have changed or are ready, of n.
 *
 * Within a search, instants are numbers of nanoseconds since the earliest event. They are below the limit of the
 * windows, and so exact.
 */
export class Windows {
  readonly #next: Instant[];
  #structure: Structure;
  #groups: readonly Group[] = [];
  #agenda = new Agenda<Group>();
  /** By domain; undefined for a core. */
  #entries: readonly (Entry<Leaf> | undefined)[] = [];
  readonly #heap = new Heap<Step>((a, b) => a.at < b.at);
  /** Groups that the present search has come to. */
  readonly #touched = new Set<Group>();

  constructor(
    private readonly lookahead: Lookahead,
    domains: number,
    private readonly steps = STEPS,
  ) {
    this.#next = new Array<Instant>(domains).fill(NEVER);
    this.#structure = lookahead.structure;
    this.#adopt(this.#structure);
  }

  /** The next event of `domain` is at `next`. */
  update(domain: number, next: Instant): void {
    this.#next[domain] = next;
    const group = this.#groups[this.#structure.coreOf[domain] as number] as Group;
    const item = this.#entries[domain];
    if (item) group.leaves.set(item, next);
    this.#agenda.set(group.entry, earlier(this.#next[group.core.domain] as Instant, group.leaves.next));
  }

  /** When the next event of `domain` is. */
  nextOf(domain: number): Instant {
    return this.#next[domain] as Instant;
  }

  /** The earliest event of all. */
  get safe(): Instant {
    return this.#agenda.next;
  }

  /**
   * The domains that have something to do before they can be reached, with how far they may run, ascending.
   *
   * @param span no window goes further than this past the earliest event; nanoseconds, below 2^53
   */
  open(span: number): Window[] {
    const { structure } = this.lookahead;
    if (structure !== this.#structure) this.#adopt(structure);
    const base = this.safe;
    const end = this.#search(base, span);
    const windows: Window[] = [];
    for (const group of this.#touched) {
      this.#openGroup(group, base, end, windows);
      group.forget();
    }
    this.#touched.clear();
    return windows.sort((a, b) => a.domain - b.domain);
  }

  #openGroup(group: Group, base: Instant, end: number, windows: Window[]): void {
    const { coreOf, leafOf } = this.#structure;
    const offer = (domain: number, way: number) => {
      const reached = group.firstFrom === domain ? group.second : group.first;
      const horizon = instantAt(base, Math.min(end, reached + way));
      if ((this.#next[domain] as Instant) < horizon) windows.push({ domain, horizon });
    };
    offer(group.core.domain, 0);
    // Whoever is the first here is bound by the second; all others by the first.
    const { firstFrom } = group;
    const alone = this.#groups[coreOf[firstFrom] ?? NOBODY] === group ? leafOf[firstFrom] : undefined;
    if (alone) offer(firstFrom, nanoseconds(alone.down));
    const limit = instantAt(base, Math.min(end, group.first + group.deepest));
    group.leaves.before(
      () => limit,
      ({ owner }) => {
        if (owner !== alone) offer(owner.domain, nanoseconds(owner.down));
      },
    );
  }

  #adopt(structure: Structure): void {
    this.#structure = structure;
    this.#agenda = new Agenda();
    this.#groups = structure.cores.map((core, place) => new Group(core, place));
    this.#entries = structure.leafOf.map((leaf) => leaf && entry(leaf, leaf.domain));
    this.#next.forEach((next, domain) => {
      this.update(domain, next);
    });
  }

  /** Labels the cores. @returns where it ended: labels below that are final, and nothing is known of what comes then */
  #search(base: Instant, span: number): number {
    const heap = this.#heap;
    const enter = (item: Entry<Group> | undefined) => {
      if (item && item.at !== NEVER)
        heap.push({ at: Number(item.at - base), group: item.owner, source: NOBODY });
    };
    let left = this.steps;
    let end = span;
    enter(this.#agenda.peek());
    for (let step = heap.pop(); step !== undefined; step = heap.pop()) {
      const { at, group, source } = step;
      if (at >= span || (left <= 0 && at > 0)) {
        end = Math.min(at, span);
        break;
      }
      left--;
      if (source === NOBODY) {
        this.#touched.add(group);
        if (group.first > at) left += STEPS_EACH;
        this.#sources(group, base, span);
        for (const follower of this.#agenda.followers(group.entry)) enter(follower);
      } else {
        if (!group.holds(at, source)) continue;
        for (const { to, latency } of group.core.ways) {
          this.#label(this.#groups[to] as Group, at + Number(latency), source, span);
        }
      }
    }
    heap.clear();
    return end;
  }

  /** Labels `group`'s core with what its own domains do. */
  #sources(group: Group, base: Instant, span: number): void {
    const { core, leaves } = group;
    const own = this.#next[core.domain] as Instant;
    if (own !== NEVER) this.#label(group, Number(own - base), core.domain, span);
    // Later ones cannot be among the two first.
    const limit = () => instantAt(base, Math.min(span, group.second));
    leaves.before(limit, ({ owner, at }) => {
      this.#label(group, Number(at - base) + nanoseconds(owner.up), owner.domain, span);
    });
  }

  #label(group: Group, at: number, source: number, span: number): void {
    if (at >= span || !group.label(at, source)) return;
    this.#touched.add(group);
    this.#heap.push({ at, group, source });
  }
}

function instantAt(base: Instant, nanosecondsAfter: number): Instant {
  return after(base, duration(BigInt(nanosecondsAfter)));
}

function nanoseconds(latency: bigint | undefined): number {
  return latency === undefined ? FAR : Number(latency);
}
