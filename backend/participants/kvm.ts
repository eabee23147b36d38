// SPDX-License-Identifier: MIT
import type { Machine } from '../../host/kvm/index.js';
import type { Hub } from '../../host/native/index.js';
import { type Instant, type Interrupt, instant, later, NEVER, ZERO } from '../calendar/index.js';
import { invariant, OneclockError } from '../errors.js';
import type { Guest, GuestOwner } from './guest.js';
import { HangWatch } from './hang-watch.js';
import { KvmLinux, type KvmOptions } from './kvm-linux.js';

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
  readonly #watch: HangWatch;
  /** The grant under way; undefined while the guest is quiet. */
  #grant: { readonly at: Instant; until: Instant } | undefined;
  /** When it wants to run, while it is quiet. */
  #wake: Instant = ZERO;
  /** What it did then is dealt with, and it has gone on since. */
  #past: Instant | undefined;
  /** Interrupts that this has brought about. */
  readonly #raised: Interrupt[] = [];
  /** How far its domain has come, when it was told last. */
  #reached: Instant = ZERO;
  #closed = false;
  #cpuMs = 0;

  /**
   * Its thread waits for the first grant from now on.
   *
   * @throws OneclockError `MACHINE` where this machine cannot have KVM guests, `INPUT` where it cannot boot the kernel
   */
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
        kicked: () => this.#machine.fail(this.#watch.reason),
        bell: (operation, args) => this.owner.bell(operation, args),
        raise: (place, bits) => this.#raise(this.#interrupt(place, bits)),
        notified: (at, act) => {
          this.#past = instant(at);
          act();
        },
        caughtUp: () => this.#caughtUp(),
        failed: (error) => this.fail(error),
        ended: (reason) => this.#ended(reason, this.#watch.stopping),
      },
      hub,
    );
    this.#machine = this.#linux.machine;
    this.#watch = new HangWatch({
      // One without a page goes by timers, and each look at one is an exit.
      pulse: () => (options.clock === 'page' ? this.#machine.liveNow : this.#machine.exits),
      kick: () => this.#machine.kick(),
    });
    try {
      this.#linux.start();
    } catch (error) {
      this.close();
      throw error;
    }
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
    return !this.#closed;
  }

  get ending(): boolean {
    return this.#watch.stopping && !this.#closed;
  }

  setPatience(place: number, nanoseconds: bigint): void {
    if (!this.#closed) this.#machine.setPatience(place, nanoseconds);
  }

  get wake(): Instant {
    if (this.#closed || this.#grant !== undefined) return NEVER;
    return this.#wake;
  }

  get now(): Instant {
    return this.#past ?? later(instant(this.#machine.now), this.#grant?.at ?? ZERO);
  }

  run(at: Instant, until: Instant): void {
    // The run is being taken down, and nothing may be started any more.
    if (this.#closed) return;
    this.#grant = { at, until };
    this.#wake = NEVER;
    this.sign();
    this.#machine.run(at, until);
  }

  curtail(until: Instant): void {
    if (!this.#grant || until >= this.#grant.until || this.#closed) return;
    const { now } = this.#machine;
    invariant(until >= now, () => `${this.name} is held to ${until}, and is at ${now}`);
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
    this.#watch.sign();
  }

  checkHang(limitMs: number): void {
    if (this.#grant === undefined || this.#closed) return;
    if (this.#watch.check(limitMs)) this.#ended(this.#watch.reason, true);
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

  #raise(interrupt: Interrupt): void {
    if (this.#past === undefined) this.owner.raise(interrupt);
    else this.#raised.push(interrupt);
  }

  #caughtUp(): void {
    this.#past = undefined;
    // It is interrupted where it is.
    for (const interrupt of this.#raised.splice(0)) this.owner.raise(interrupt);
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

  #ended(reason: string, hung: boolean): void {
    this.fail(new OneclockError('PARTICIPANT', reason), hung);
  }
}
