// SPDX-License-Identifier: MIT
import type { Machine } from '../../host/kvm/index.js';
import type { Hub } from '../../host/native/index.js';
import { type Instant, type Interrupt, instant, later, NEVER, ZERO } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { Guest, GuestOwner } from './guest.js';
import { KvmLinux, type KvmOptions } from './kvm-linux.js';

/** How long a guest that hangs may take to stop, so that its registers can be told. */
const STOP_MS = 1_000;

/** Operations of the guest that are not the machine's own. */
export interface KvmOwner extends GuestOwner {
  /** @returns the result, or an error below zero @throws OneclockError for what the guest may not do */
  bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint;
}

/** A Linux guest of KVM, with a thread of this process and virtio devices in its memory. */
export class KvmParticipant implements Guest {
  readonly id: number;
  readonly name: string;
  /** It has none of its own. */
  readonly pid = undefined;
  readonly #linux: KvmLinux;
  readonly #machine: Machine;
  #started = false;
  /** The grant under way; undefined while the guest is quiet. */
  #grant: { readonly at: Instant; until: Instant } | undefined;
  /** When it wants to run, while it is quiet. */
  #wake: Instant = ZERO;
  /** How far its domain has come, when it was told last. */
  #reached: Instant = ZERO;
  #lastSign = 0;
  /** Its clock, when it was looked at last. */
  #lastNow = 0n;
  /** Until when it is waited for, where it hangs. */
  #stopBy: number | undefined;
  /** The limit that it has passed, where it hangs. */
  #limitMs = 0;
  #closed = false;
  #cpuMs = 0;

  /** @throws OneclockError `MACHINE` where this machine cannot have KVM guests */
  constructor(
    options: KvmOptions,
    private readonly owner: KvmOwner,
    hub: Hub,
  ) {
    this.id = options.id;
    this.name = options.name;
    this.#linux = new KvmLinux(
      options,
      {
        sign: () => this.sign(),
        waits: () => this.#waits(),
        kicked: () => this.#machine.fail(this.#hangs()),
        bell: (operation, args) => this.owner.bell(operation, args),
        raise: (place, bits) => this.owner.raise(this.#interrupt(place, bits)),
        failed: (error) => this.fail(error),
        ended: (reason) => this.#ended(reason, this.#stopBy !== undefined),
      },
      hub,
    );
    this.#machine = this.#linux.machine;
  }

  /** All of the guest's memory, while it is there. */
  get memory(): Uint8Array {
    return this.#machine.memory.bytes;
  }

  /** Where in it the page of its clock is; undefined: it has none yet. */
  get page(): number | undefined {
    return this.#machine.page;
  }

  get thread(): number | undefined {
    return this.#machine.thread;
  }

  get cpuMs(): number {
    return this.#closed ? this.#cpuMs : this.#machine.cpuMs;
  }

  get alive(): boolean {
    return this.#started && !this.#closed;
  }

  get ending(): boolean {
    return this.#stopBy !== undefined && !this.#closed;
  }

  /** A kick is seen at once. */
  setPatience(): void {}

  get wake(): Instant {
    if (this.#closed || this.#grant !== undefined) return NEVER;
    return this.#wake;
  }

  get now(): Instant {
    return this.#started ? later(instant(this.#machine.now), this.#grant?.at ?? ZERO) : ZERO;
  }

  run(at: Instant, until: Instant): void {
    // The run is being taken down, and nothing may be started any more.
    if (this.#closed) return;
    this.#grant = { at, until };
    this.#wake = NEVER;
    this.sign();
    if (!this.#started) this.#start();
    if (!this.#closed) this.#machine.run(at, until);
  }

  curtail(until: Instant): void {
    if (!this.#grant || until >= this.#grant.until || this.#closed) return;
    this.#grant.until = until;
    this.#machine.curtail(until);
  }

  reach(at: Instant): void {
    this.#reached = at;
  }

  /** Nobody has marks for it. */
  notify(): Interrupt {
    return { participant: this, deliver: (done) => done() };
  }

  /** It stands still between its activations: there is nothing that it could do. */
  acts(): boolean {
    return !this.#closed;
  }

  /** It has just been heard of. */
  sign(): void {
    this.#lastSign = performance.now();
  }

  checkHang(limitMs: number): void {
    if (this.#stopBy !== undefined) {
      if (performance.now() >= this.#stopBy) this.#ended(this.#hangs(), true);
      return;
    }
    if (this.#grant === undefined || this.#closed) return;
    const now = this.#machine.liveNow;
    if (now !== this.#lastNow) {
      this.#lastNow = now;
      this.sign();
    }
    if (performance.now() - this.#lastSign < limitMs) return;
    this.#limitMs = limitMs;
    this.#stopBy = performance.now() + STOP_MS;
    this.#machine.kick();
  }

  fail(error: OneclockError, hung = false): void {
    if (this.#closed) return;
    this.close();
    this.owner.rescheduled();
    this.owner.failed(this.#linux.explain(error), hung);
  }

  close(): void {
    if (this.#closed) return;
    this.#cpuMs = this.#machine.cpuMs;
    this.#grant = undefined;
    this.#closed = true;
    this.#linux.close();
  }

  #start(): void {
    try {
      this.#linux.start();
      this.#started = true;
    } catch (error) {
      if (!(error instanceof OneclockError)) throw error;
      this.fail(error);
    }
  }

  /** It has nothing to do before the end of its grant, or is in need of more. */
  #waits(): void {
    this.sign();
    this.#grant = undefined;
    const { request } = this.#machine;
    this.#wake = request >= NEVER ? NEVER : later(instant(request), instant(this.#machine.now));
    this.owner.quiet();
  }

  #interrupt(place: number, bits: number): Interrupt {
    return {
      participant: this,
      deliver: (done) => {
        const disturbed = this.#linux.interrupt(place, bits);
        if (disturbed && this.#reached < this.#wake) this.#wake = this.#reached;
        done();
      },
    };
  }

  #hangs(): string {
    return `it hangs: nothing heard of it for ${this.#limitMs / 1000} s of wall time`;
  }

  #ended(reason: string, hung: boolean): void {
    this.fail(new OneclockError('PARTICIPANT', reason), hung);
  }
}
