// SPDX-License-Identifier: MIT

/** How long a guest that hangs may take to stop, so that its registers can be told. */
const STOP_MS = 1_000;

/** What is known of a guest from outside, while it runs. */
export interface WatchedGuest {
  /** Another number whenever the guest has got on, although nothing was heard of it. */
  pulse(): bigint;
  /** Stops it, if it runs; what comes of that is its own affair. */
  kick(): void;
}

/** Watches, by the wall clock, a guest that a thread of this process runs. */
export class HangWatch {
  #lastSign = 0;
  #lastPulse = 0n;
  #limitMs = 0;
  /** Where it has been kicked, and not heard of since: until when it is waited for. */
  #stopBy: number | undefined;

  constructor(private readonly guest: WatchedGuest) {}

  /** Whether it has been kicked for its silence, and has not stopped yet. */
  get stopping(): boolean {
    return this.#stopBy !== undefined;
  }

  /** Why it is given up. */
  get reason(): string {
    return `it hangs: nothing heard of it for ${this.#limitMs / 1000} s of wall time`;
  }

  /** It has just been heard of. One that stops by itself while it is being kicked does not hang. */
  sign(): void {
    this.#lastSign = performance.now();
    this.#stopBy = undefined;
  }

  /**
   * Called now and then while the guest runs. It is kicked after `limitMs` without a sign or another pulse.
   *
   * @returns whether not even that has stopped it
   */
  check(limitMs: number): boolean {
    if (this.#stopBy !== undefined) return performance.now() >= this.#stopBy;
    const pulse = this.guest.pulse();
    if (pulse !== this.#lastPulse) {
      this.#lastPulse = pulse;
      this.sign();
    }
    if (performance.now() - this.#lastSign < limitMs) return false;
    this.#limitMs = limitMs;
    this.#stopBy = performance.now() + STOP_MS;
    this.guest.kick();
    return false;
  }
}
