// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import { Agenda, type Entry, entry } from './agenda.js';
import { type CalendarEvent, EventKind } from './event.js';
import { EventQueue } from './event-queue.js';
import type { Interrupt, Participant, ParticipantHost } from './participant.js';
import { after, duration, earlier, formatInstant, type Instant, later, NEVER, ZERO } from './time.js';
import type { Crossing, Timeline } from './timeline.js';

/** The shortest grant there is. */
const ONE = duration(1n);

/** What a domain tells the calendar, and whoever watches. */
export interface DomainHost {
  /** It has come to the end of its window. */
  windowDone(domain: Domain): void;
  /** The least time in which anything in `from` can reach `to`. */
  distance(from: Timeline, to: Domain): Instant;
  /** A participant is about to run. */
  activated(participant: Participant, at: Instant, until: Instant): void;
  /** One that ran has become quiet, or has gone. */
  rested?(participant: Participant): void;
  /** Its next event may be another, though no window of it is open. */
  changed(domain: Domain): void;
  /**
   * Whether participants touch each other by ways that are not seen here, so that any may have another `wake`
   * after anything has happened. Else it changes only where {@link ParticipantHost} tells, or by an interrupt.
   */
  readonly unseen?: boolean;
}

/**
 * Participants that can touch each other with no virtual delay, and the queue they share. One of them runs at a
 * time, from its activation until it is quiet (rule T2).
 */
export class Domain implements Timeline {
  readonly outbox: Crossing[] = [];
  /** Everything before it has happened; nothing may be added there any more (rule T6). */
  horizon: Instant = ZERO;
  /** Events that were applied. */
  events = 0;
  readonly #queue = new EventQueue();
  readonly #participants = new Map<Participant, Entry<Participant>>();
  /** When they want to run; the one that runs is not in it. */
  readonly #wakes = new Agenda<Participant>();
  readonly #interrupts: Interrupt[] = [];
  /** Those that are not let run, with the interrupts that wait for them. */
  readonly #held = new Map<Participant, Interrupt[]>();
  #now: Instant = ZERO;
  #running: Participant | undefined;
  #delivering = false;
  #open = false;
  #stepping = false;
  #sequence = 0;

  constructor(
    readonly index: number,
    private readonly host: DomainHost,
  ) {}

  /** Adds a participant, and says whom it is to tell. */
  add(participant: Participant): ParticipantHost {
    this.#participants.set(participant, entry(participant, participant.id));
    this.#ask(participant);
    this.#changed();
    return {
      quiet: () => {
        invariant(this.#running === participant, () => `${participant.name} became quiet without having run`);
        this.#running = undefined;
        this.host.rested?.(participant);
        this.#ask(participant);
        this.#step();
      },
      rescheduled: () => {
        if (this.#running === participant) return;
        this.#ask(participant);
        this.#changed();
      },
      gone: () => {
        const wish = this.#participants.get(participant);
        if (wish) this.#wakes.delete(wish);
        this.#participants.delete(participant);
        this.#held.delete(participant);
        if (this.#running === participant) {
          this.#running = undefined;
          this.host.rested?.(participant);
        }
        this.#changed();
        this.#step();
      },
    };
  }

  /** Virtual time here: that of the participant that runs, or of the event that is applied. */
  get now(): Instant {
    const running = this.#running;
    return running && running.now > this.#now ? running.now : this.#now;
  }

  /** The next instant at which something happens here by itself. Meaningful between windows. */
  get next(): Instant {
    if (this.host.unseen) this.#askAll();
    return earlier(this.#queue.next, this.#wakes.next);
  }

  get running(): Participant | undefined {
    return this.#running;
  }

  /**
   * Puts an event of this domain into its queue, or one of another into the outbox. The other may answer, so the
   * window ends where its answer could be here.
   */
  post(target: Timeline, event: CalendarEvent): void {
    this.#changed();
    if (target === this) {
      this.#queue.push(event);
      this.#running?.curtail(event.at);
      return;
    }
    this.outbox.push({ target, event });
    const answer = after(event.at, duration(this.host.distance(target, this)));
    if (answer >= this.horizon) return;
    this.horizon = answer;
    this.#running?.curtail(answer);
  }

  /** Takes an event that another domain caused; called at a barrier. */
  accept(event: CalendarEvent): void {
    invariant(
      event.at >= this.horizon,
      () => `an event for ${formatInstant(event.at)} came when ${formatInstant(this.horizon)} was granted`,
    );
    this.#queue.push(event);
    this.#changed();
  }

  /** Asks for an interrupt as soon as the guest may be disturbed, at this instant of virtual time. */
  raise(source: number, interrupt: Interrupt): void {
    this.post(this, {
      at: this.now,
      kind: EventKind.INTERRUPT,
      source,
      sequence: this.#sequence++,
      apply: () => this.#interrupts.push(interrupt),
    });
  }

  /** Does not let a quiet participant run from now on, nor be disturbed; until {@link letGo}. */
  hold(participant: Participant): void {
    if (this.#held.has(participant) || !this.#participants.has(participant)) return;
    this.#held.set(participant, []);
    this.#ask(participant);
  }

  /** Lets a participant that was held run again, at once where it wanted to meanwhile; `source` orders its interrupts. */
  letGo(participant: Participant, source: number): void {
    const kept = this.#held.get(participant);
    if (!kept) return;
    this.#held.delete(participant);
    for (const interrupt of kept) this.raise(source, interrupt);
    this.#ask(participant);
  }

  /** Ends the window that is open as soon as everything of this instant has happened. */
  cut(): void {
    this.horizon = earlier(this.horizon, after(this.now, ONE));
    this.#running?.curtail(this.horizon);
  }

  /** Runs the domain up to, and not including, `horizon`; the end is told to the host. */
  open(horizon: Instant): void {
    invariant(!this.#open, () => `domain ${this.index} was opened twice`);
    invariant(
      horizon >= this.horizon,
      () => `the horizon of domain ${this.index} went back: ${this.horizon} to ${horizon}`,
    );
    this.horizon = horizon;
    this.#open = true;
    this.#step();
  }

  /** Finds out when a quiet participant wants to run. */
  #ask(participant: Participant): void {
    const wish = this.#participants.get(participant);
    // One that was slow to ask is not let run in the past.
    if (wish) this.#wakes.set(wish, this.#held.has(participant) ? NEVER : later(participant.wake, this.#now));
  }

  #askAll(): void {
    for (const participant of this.#participants.keys()) {
      if (participant !== this.#running) this.#ask(participant);
    }
  }

  #changed(): void {
    if (!this.#open) this.host.changed(this);
  }

  /** Goes on while nobody has to be waited for. A participant may answer before `run` returns, hence the guard. */
  #step(): void {
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      while (this.#open && this.#running === undefined && !this.#delivering) this.#advance();
    } finally {
      this.#stepping = false;
    }
  }

  #advance(): void {
    if (this.#interrupts.length > 0 && !this.#eventsLeft()) {
      this.#deliverNext();
      return;
    }
    const next = this.next;
    if (next >= this.horizon) {
      this.#open = false;
      this.host.windowDone(this);
      return;
    }
    this.#reach(next);
    if (this.#eventsLeft()) {
      this.#queue.pop().apply();
      this.events++;
    } else {
      this.#activate(next);
    }
  }

  #eventsLeft(): boolean {
    return this.#queue.next <= this.#now;
  }

  #reach(at: Instant): void {
    invariant(
      at >= this.#now,
      () => `time ran backward in domain ${this.index}: ${formatInstant(this.#now)} to ${formatInstant(at)}`,
    );
    this.#now = at;
    this.#queue.reach(at);
  }

  #deliverNext(): void {
    const interrupt = this.#interrupts.shift() as Interrupt;
    const { participant } = interrupt;
    const kept = participant && this.#held.get(participant);
    if (kept) {
      kept.push(interrupt);
      return;
    }
    // It was meant for one that has gone.
    if (participant && !this.#participants.has(participant)) return;
    for (const each of participant ? [participant] : this.#participants.keys()) {
      if (!this.#held.has(each)) each.reach(this.#now);
    }
    this.#delivering = true;
    interrupt.deliver(() => {
      this.#delivering = false;
      if (participant) this.#ask(participant);
      else this.#askAll();
      this.#step();
    });
  }

  #activate(at: Instant): void {
    const wish = this.#wakes.peek();
    invariant(
      wish !== undefined && wish.at <= at,
      () => `nobody to run in domain ${this.index} at ${formatInstant(at)}`,
    );
    this.#wakes.delete(wish);
    const until = earlier(earlier(this.horizon, this.#queue.next), this.#wakes.next);
    this.#running = wish.owner;
    // Another may want to run at the same instant: this one gets the instant, and no more.
    const granted = later(until, after(at, ONE));
    this.host.activated(wish.owner, at, granted);
    wish.owner.run(at, granted);
  }
}
