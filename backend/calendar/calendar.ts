// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import { Domain } from './domain.js';
import { Heap } from './heap.js';
import type { Lookahead } from './lookahead.js';
import type { Participant } from './participant.js';
import { between, duration, earlier, formatInstant, type Instant, NEVER, ZERO } from './time.js';
import { type Window, Windows } from './windows.js';

/** Why the calendar has nothing more to do. */
export type End =
  /** Virtual time has come to the end that was set. */
  | 'until'
  /** Nobody has anything left to do, ever. */
  | 'nothing-left'
  /** {@link Calendar.finish} was called. */
  | 'finished';

export interface CalendarOptions {
  /** How many domains may run at once: 1 is serial. It changes nothing that can be seen in virtual time. */
  readonly jobs: number;
  /** Nothing happens at this instant or later. */
  readonly until: Instant;
  activated(participant: Participant, at: Instant, until: Instant): void;
  /** At each barrier: everything before `safe` has happened, in all domains. */
  barrier(safe: Instant): void;
  /** A window begins. */
  opened?(): void;
  ended(end: End, at: Instant): void;
}

/**
 * No domain goes further ahead of the others than this, even where nobody can reach it: the end of a run is found at
 * a barrier, and what a window has brought is kept in memory until then.
 */
export const LONGEST_WINDOW = duration(1_000_000_000n);

/** Something that is done between windows. */
interface Act {
  readonly at: Instant;
  readonly sequence: number;
  readonly act: () => void;
}

/**
 * The discrete-event engine. Time advances in windows that come from virtual state alone: at a barrier, each
 * domain gets its horizon from the {@link Lookahead}; then all domains run theirs, at once or in turn; what they
 * caused in each other is handed over at the next barrier, where rule T3 orders it.
 */
export class Calendar {
  readonly domains: Domain[] = [];
  activations = 0;
  readonly #options: CalendarOptions;
  readonly #acts = new Heap<Act>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));
  /** Domains whose next event may be another than the windows know. */
  readonly #changed = new Set<Domain>();
  #sequence = 0;
  #lookahead: Lookahead | undefined;
  #windows: Windows | undefined;
  #ready: Window[] = [];
  #nextReady = 0;
  #busy = 0;
  #finishing = false;
  #ended = false;
  #launching = false;

  constructor(options: CalendarOptions) {
    this.#options = options;
  }

  addDomain(): Domain {
    const domain = new Domain(this.domains.length, {
      windowDone: () => {
        this.#busy--;
        this.#launch();
      },
      distance: (from, to) => this.#lookahead?.distance(from.index, to.index) ?? ZERO,
      activated: (participant, at, until) => {
        this.activations++;
        this.#options.activated(participant, at, until);
      },
      changed: (domain) => this.#changed.add(domain),
    });
    this.domains.push(domain);
    return domain;
  }

  /** Begins; everything after that happens in calls from participants. */
  start(lookahead: Lookahead): void {
    this.#lookahead = lookahead;
    this.#windows = new Windows(lookahead, this.domains.length);
    this.#launch();
  }

  /**
   * Calls `act` at a barrier at which everything before `at` has happened, in all domains, and nothing at `at` or
   * later: what it does, to the lookahead for one, holds from `at` on. Those of one instant are called in the order in
   * which they were given. Not called where the run ends before.
   */
  at(at: Instant, act: () => void): void {
    this.#acts.push({ at, sequence: this.#sequence++, act });
  }

  /** Ends the run at the next barrier, when all domains have come to the end of the present window. */
  finish(): void {
    this.#finishing = true;
  }

  get events(): number {
    return this.domains.reduce((sum, domain) => sum + domain.events, 0);
  }

  /** Starts ready domains while there is room, and holds the barrier when the last has come back. */
  #launch(): void {
    if (this.#launching) return;
    this.#launching = true;
    try {
      while (!this.#ended) {
        if (this.#nextReady < this.#ready.length) {
          if (this.#busy >= this.#options.jobs) return;
          const { domain, horizon } = this.#ready[this.#nextReady++] as Window;
          this.#busy++;
          (this.domains[domain] as Domain).open(horizon);
        } else if (this.#busy > 0) {
          return;
        } else {
          this.#barrier();
        }
      }
    } finally {
      this.#launching = false;
    }
  }

  /** Hands over what crossed, and gives the next windows. Looks at virtual state only. */
  #barrier(): void {
    for (const { domain } of this.#ready) this.#changed.add(this.domains[domain] as Domain);
    for (const domain of this.#changed) {
      for (const { target, event } of domain.outbox) target.accept(event);
      domain.outbox.length = 0;
    }
    const { until } = this.#options;
    let safe = this.#safe();
    for (let next = this.#acts.peek(); next !== undefined; next = this.#acts.peek()) {
      if (this.#finishing || next.at > safe || next.at >= until) break;
      this.#acts.pop();
      next.act();
      safe = this.#safe();
    }
    this.#options.barrier(safe);
    if (this.#finishing || safe >= until) {
      this.#end(safe);
      return;
    }
    const limit = earlier(this.#acts.peek()?.at ?? NEVER, until);
    const span = Math.min(Number(LONGEST_WINDOW), Number(between(safe, limit)));
    this.#nextReady = 0;
    this.#ready = (this.#windows as Windows).open(span);
    this.#options.opened?.();
    invariant(
      this.#ready.length > 0,
      () => `no domain may run at ${formatInstant(safe)}: a cycle of domains has no latency`,
    );
  }

  /** Everything before it has happened, in all domains. */
  #safe(): Instant {
    const windows = this.#windows as Windows;
    for (const domain of this.#changed) windows.update(domain.index, domain.next);
    this.#changed.clear();
    return windows.safe;
  }

  #end(safe: Instant): void {
    const { until } = this.#options;
    this.#ended = true;
    if (this.#finishing) this.#options.ended('finished', earlier(safe, until));
    else this.#options.ended(until === NEVER ? 'nothing-left' : 'until', until);
  }
}
