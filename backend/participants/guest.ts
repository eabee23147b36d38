// SPDX-License-Identifier: MIT
import type { Instant, Interrupt, Participant } from '../calendar/index.js';
import type { OneclockError } from '../errors.js';

/** A guest of this machine in virtual time, whatever runs it. It starts with its first grant. */
export interface Guest extends Participant {
  /** Its process; undefined where it has none of its own, or none yet. */
  readonly pid: number | undefined;
  /** The thread of this process that runs it; undefined where there is none, or none yet. */
  readonly thread: number | undefined;
  /** The processor time that it has used, where the table of processes does not tell. */
  readonly cpuMs: number | undefined;
  /** Whether it has not been seen to end. */
  readonly alive: boolean;
  /** Whether it has failed, and how it did is not known for certain yet. Bounded. */
  readonly ending: boolean;
  /**
   * How long after a kick of device `place` nothing can come of it for the guest, in nanoseconds; 0: something may at
   * once. The guest, which is quiet, may go on for that long without being seen.
   */
  setPatience(place: number, nanoseconds: bigint): void;
  /** Somebody's broadcast, for the moment at which the guest may be disturbed. */
  notify(value: bigint): Interrupt;
  /**
   * It does something that others see. @returns whether it may: between its activations it stands still, and one
   * that does not has broken the protocol and is given up
   */
  acts(what: string): boolean;
  /** Gives it up if it has run, or owed an answer to an interrupt, for `limitMs` of wall time without a sign of life. */
  checkHang(limitMs: number): void;
  /** Ends it; `error` is reported when that has happened. */
  fail(error: OneclockError, hung?: boolean): void;
  /** Ends it and gives everything back; nothing is reported any more. Safe to call twice. */
  close(): void;
}

/** What a guest tells the run. */
export interface GuestOwner {
  /** It has done all it can until its `wake`. */
  quiet(): void;
  /** It is quiet, and its `wake` has changed. */
  rescheduled(): void;
  /** The time of its domain. */
  now(): Instant;
  /** An interrupt of one of its devices waits for the moment at which the guest may be disturbed. */
  raise(interrupt: Interrupt): void;
  broadcast(value: bigint): void;
  /** It takes no part any more: it broke a protocol, hung, or ended. Called at most once. */
  failed(error: OneclockError, hung: boolean): void;
}
