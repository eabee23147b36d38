// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import { Domain } from './domain.js';
import { Heap } from './heap.js';
import type { Lookahead } from './lookahead.js';
import type { Participant } from './participant.js';
import { RealTime } from './real-time.js';
import {
  after,
  between,
  duration,
  earlier,
  formatInstant,
  type Instant,
  instant,
  NEVER,
  ZERO,
} from './time.js';
import type { Timeline } from './timeline.js';
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
  /** One that ran has become quiet, or has gone. */
  rested?(participant: Participant): void;
  /** All domains have come to the ends of their windows: a barrier begins, at which what they caused is handed over. */
  closing?(): void;
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

/**
 * The same beside participants in real time: guests are never further ahead of boards than this, and boards never of
 * guests, even where they cannot reach each other.
 */
export const REAL_TIME_WINDOW = duration(10_000_000n);

/** The shortest step of real time that is worth looking for something to do. */
const REAL_TIME_STEP = duration(1_000n);

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
  readonly timelines: Timeline[] = [];
  activations = 0;
  /** When {@link resume} has to be called, in the time of participants in real time; NEVER while domains run. */
  wake: Instant = NEVER;
  readonly #options: CalendarOptions;
  readonly #acts = new Heap<Act>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));
  /** Domains whose next event may be another than the windows know. */
  readonly #changed = new Set<Timeline>();
  #realTime: RealTime | undefined;
  #sequence = 0;
  #lookahead: Lookahead | undefined;
  #windows: Windows | undefined;
  #ready: Window[] = [];
  #nextReady = 0;
  #busy = 0;
  #finishing = false;
  #ended = false;
  #launching = false;
  #waiting = false;

  constructor(options: CalendarOptions) {
    this.#options = options;
  }

  addDomain(): Domain {
    const domain = new Domain(this.timelines.length, {
      windowDone: () => {
        this.#busy--;
        this.#launch();
      },
      distance: (from, to) => this.#lookahead?.distance(from.index, to.index) ?? ZERO,
      activated: (participant, at, until) => {
        this.activations++;
        this.#options.activated(participant, at, until);
      },
      rested: (participant) => this.#options.rested?.(participant),
      changed: (domain) => this.#changed.add(domain),
    });
    this.timelines.push(domain);
    return domain;
  }

  /**
   * Adds the timeline of participants in real time; one at most. Whoever adds it stops them when `now` has come to its
   * `horizon`, and calls {@link resume} at {@link wake}, and whenever they have done something.
   */
  addRealTime(now: () => Instant): RealTime {
    invariant(this.#realTime === undefined, () => 'there is one timeline in real time at most');
    const timeline: RealTime = new RealTime(this.timelines.length, {
      now,
      distance: (from) => this.#lookahead?.distance(from.index, timeline.index) ?? ZERO,
      changed: () => this.#changed.add(timeline),
    });
    this.timelines.push(timeline);
    this.#realTime = timeline;
    return timeline;
  }

  /** Begins; everything after that happens in calls from participants. */
  start(lookahead: Lookahead): void {
    this.#lookahead = lookahead;
    this.#windows = new Windows(lookahead, this.timelines.length);
    this.#launch();
  }

  /** Whether no domain may run until participants in real time have come further. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Real time has passed: holds a barrier, where no domain runs. */
  resume(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.wake = NEVER;
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
    this.resume();
  }

  get events(): number {
    return this.timelines.reduce((sum, { events }) => sum + events, 0);
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
          (this.timelines[domain] as Domain).open(horizon);
        } else if (this.#busy > 0 || this.#waiting) {
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
    this.#options.closing?.();
    const realTime = this.#realTime;
    for (const { domain } of this.#ready) this.#changed.add(this.timelines[domain] as Timeline);
    if (realTime) this.#changed.add(realTime);
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
    const longest = realTime ? REAL_TIME_WINDOW : LONGEST_WINDOW;
    const span = Math.min(Number(longest), Number(between(safe, limit)));
    this.#nextReady = 0;
    this.#ready = (this.#windows as Windows).open(span);
    if (realTime) this.#allow(realTime, limit);
    this.#options.opened?.();
    invariant(
      this.#ready.length > 0 || this.#waiting,
      () => `no domain may run at ${formatInstant(safe)}: a cycle of domains has no latency`,
    );
  }

  /** Tells the timeline in real time how far it may go; where nobody else has anything to do, it is waited for. */
  #allow(realTime: RealTime, limit: Instant): void {
    const at = (this.#windows as Windows).nextOf(realTime.index);
    const own = this.#ready.find(({ domain }) => domain === realTime.index);
    realTime.horizon = own?.horizon ?? at;
    if (own) this.#ready = this.#ready.filter((window) => window !== own);
    this.#waiting = this.#ready.length === 0;
    if (this.#waiting) this.wake = earlier(realTime.horizon, this.#nextReadiness(realTime, at, limit));
  }

  /**
   * When a domain may run next, as far as that depends on the timeline in real time, which is at `at`; before `limit`,
   * where a barrier is held in any case.
   */
  #nextReadiness(realTime: RealTime, at: Instant, limit: Instant): Instant {
    const windows = this.#windows as Windows;
    const lookahead = this.#lookahead as Lookahead;
    let first = NEVER;
    let idle = true;
    for (const { index } of this.timelines) {
      const next = windows.nextOf(index);
      if (index === realTime.index || next >= limit) continue;
      idle = false;
      const ahead = earlier(lookahead.distance(realTime.index, index), after(ZERO, REAL_TIME_WINDOW));
      // Its horizon is `ahead` of real time, where no other domain is nearer.
      const ready = next < ahead ? ZERO : instant(next - ahead + 1n);
      if (ready > at) first = earlier(first, ready);
    }
    return first === NEVER && !idle ? after(at, REAL_TIME_STEP) : first;
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
