// SPDX-License-Identifier: MIT
import {
  after,
  between,
  duration,
  type Instant,
  type Interrupt,
  instant,
  NEVER,
  NO_TIME,
  type Participant,
} from '../calendar/index.js';

/**
 * Stands between the calendar and a guest whose clock can stand still: to the calendar, the guest is where virtual time is;
 * the guest's own time leaves out what it stood still for, so that it does not see it, as a board does not.
 */
export class StoppableClock implements Participant {
  #stoodStill = NO_TIME;
  #stoppedAt: Instant | undefined;

  constructor(private readonly guest: Participant) {}

  get id(): number {
    return this.guest.id;
  }

  get name(): string {
    return this.guest.name;
  }

  get wake(): Instant {
    return this.#outside(this.guest.wake);
  }

  get now(): Instant {
    return this.#outside(this.guest.now);
  }

  run(at: Instant, until: Instant): void {
    this.guest.run(this.inside(at), this.inside(until));
  }

  curtail(until: Instant): void {
    this.guest.curtail(this.inside(until));
  }

  reach(at: Instant): void {
    this.guest.reach(this.inside(at));
  }

  /** Its clock stands still from `at` on; the calendar does not let it run until {@link go}. */
  stop(at: Instant): void {
    this.#stoppedAt ??= at;
  }

  /** It goes on. */
  go(at: Instant): void {
    if (this.#stoppedAt === undefined) return;
    this.#stoodStill = duration(this.#stoodStill + between(this.#stoppedAt, at));
    this.#stoppedAt = undefined;
  }

  /** The guest's time at `at`. */
  inside(at: Instant): Instant {
    return at === NEVER ? NEVER : instant(at - this.#stoodStill);
  }

  /** An interrupt of the guest, as the calendar sees it. */
  interrupt(interrupt: Interrupt): Interrupt {
    return { participant: this, deliver: (done) => interrupt.deliver(done) };
  }

  #outside(at: Instant): Instant {
    return after(at, this.#stoodStill);
  }
}
