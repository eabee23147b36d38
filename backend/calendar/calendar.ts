// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import { Domain } from './domain.js';
import type { Lookahead } from './lookahead.js';
import type { Participant } from './participant.js';
import { after, duration, earlier, formatInstant, type Instant, NEVER, ZERO } from './time.js';

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
const LONGEST_WINDOW = duration(1_000_000_000n);

/** What a domain may run through before the next barrier. */
interface Window {
  readonly domain: Domain;
  readonly horizon: Instant;
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
  #lookahead: Lookahead | undefined;
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
    });
    this.domains.push(domain);
    return domain;
  }

  /** Begins; everything after that happens in calls from participants. */
  start(lookahead: Lookahead): void {
    this.#lookahead = lookahead;
    this.#launch();
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
          domain.open(horizon);
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
    for (const domain of this.domains) {
      for (const { target, event } of domain.outbox) target.accept(event);
      domain.outbox.length = 0;
    }
    const next = this.domains.map((domain) => domain.next);
    const safe = next.reduce(earlier, NEVER);
    this.#options.barrier(safe);
    if (this.#finishing || safe >= this.#options.until) {
      this.#end(safe);
      return;
    }
    const horizons = (this.#lookahead as Lookahead).horizons(next);
    const limit = earlier(after(safe, LONGEST_WINDOW), this.#options.until);
    this.#nextReady = 0;
    this.#ready = [];
    for (const domain of this.domains) {
      const horizon = earlier(horizons[domain.index] as Instant, limit);
      if ((next[domain.index] as Instant) < horizon) this.#ready.push({ domain, horizon });
    }
    this.#options.opened?.();
    invariant(
      this.#ready.length > 0,
      () => `no domain may run at ${formatInstant(safe)}: a cycle of domains has no latency`,
    );
  }

  #end(safe: Instant): void {
    const { until } = this.#options;
    this.#ended = true;
    if (this.#finishing) this.#options.ended('finished', earlier(safe, until));
    else this.#options.ended(until === NEVER ? 'nothing-left' : 'until', until);
  }
}
