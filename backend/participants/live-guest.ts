// SPDX-License-Identifier: MIT
import type { Hub } from '../../host/native/index.js';
import { OneclockError } from '../errors.js';
import { KvmLinux, type KvmOptions } from './kvm-linux.js';

/** What a live guest tells the run. */
export interface LiveGuestOwner {
  /** It takes no part any more. Called at most once. */
  failed(error: OneclockError): void;
}

/**
 * A Linux guest of KVM in real time, which can be frozen: it does not run then, and its clock leaves the time out. It is
 * frozen to begin with, before its first instruction, at 0. Whoever polls the hub serves it.
 */
export class LiveGuest {
  readonly #linux: KvmLinux;
  #started = false;
  #closed = false;
  #cpuMs = 0;

  /** @throws OneclockError `MACHINE` where this machine cannot have KVM guests */
  constructor(
    options: KvmOptions,
    private readonly owner: LiveGuestOwner,
    hub: Hub,
  ) {
    this.#linux = new KvmLinux(
      options,
      {
        sign: () => undefined,
        waits: () => undefined,
        kicked: () => undefined,
        bell: (operation) => {
          throw new OneclockError('PARTICIPANT', `operation ${operation}, which is not there in real time`);
        },
        raise: (place, bits) => this.#linux.interrupt(place, bits),
        failed: (error) => this.#failed(error),
        ended: (reason) => this.#failed(new OneclockError('PARTICIPANT', reason)),
      },
      hub,
    );
  }

  /** Its own time, in nanoseconds. */
  get now(): bigint {
    return this.#linux.machine.now;
  }

  get alive(): boolean {
    return this.#started && !this.#closed;
  }

  /** What its thread has used of a processor. */
  get cpuMs(): number {
    return this.#closed ? this.#cpuMs : this.#linux.machine.cpuMs;
  }

  /** Makes it ready to be let go. @throws OneclockError */
  start(): void {
    if (this.#closed) return;
    this.#linux.start();
    this.#started = true;
  }

  /** It does not run any more when this returns. Bounded. */
  freeze(): void {
    if (this.#closed) return;
    try {
      this.#linux.machine.freeze();
    } catch (error) {
      if (!(error instanceof OneclockError)) throw error;
      this.#failed(error);
    }
  }

  thaw(): void {
    if (!this.#closed) this.#linux.machine.thaw();
  }

  /** Ends it and gives everything back; nothing is reported any more. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#cpuMs = this.#linux.machine.cpuMs;
    this.#closed = true;
    this.#linux.close();
  }

  #failed(error: OneclockError): void {
    if (this.#closed) return;
    this.close();
    this.owner.failed(this.#linux.explain(error));
  }
}
