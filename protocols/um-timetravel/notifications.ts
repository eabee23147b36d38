// SPDX-License-Identifier: MIT
import { NotifyLayout as L } from './constants.js';

/**
 * `struct um_timetravel_notify` in a client's own page: kicks and interrupts of its devices that take no message. The
 * client's part of it is not trusted.
 *
 * A client that runs leaves its kicks here; they are taken at its next message, before that. A client that waits finds
 * its interrupts here when it runs.
 */
export class Notifications {
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;
  readonly #halves: Uint16Array;
  /** As it was set, whatever the client has made of it. */
  readonly #patience: bigint[] = new Array<bigint>(L.DEVICES).fill(0n);

  /** @param page the whole page, aligned to 8 bytes */
  constructor(page: Uint8Array) {
    const at = page.byteOffset + L.OFFSET;
    this.#words = new Uint32Array(page.buffer, at, L.BYTES >> 2);
    this.#longs = new BigUint64Array(page.buffer, at, L.BYTES >> 3);
    this.#halves = new Uint16Array(page.buffer, at, L.BYTES >> 1);
    this.#words[L.OFFSET_MAGIC >> 2] = L.MAGIC;
  }

  /** Whether the client looks for interrupts of `device` here. */
  listens(device: number): boolean {
    if (device >= L.DEVICES) return false;
    return (((this.#longs[L.OFFSET_LISTENING >> 3] as bigint) >> BigInt(device)) & 1n) !== 0n;
  }

  /** Leaves an interrupt of a queue; the client waits. */
  call(device: number, queue: number): void {
    const at = (L.OFFSET_CALL >> 3) + device;
    this.#longs[at] = (this.#longs[at] as bigint) | (1n << BigInt(queue));
  }

  /** How long the client may run on after a kick of `device`, in nanoseconds; 0: the kick must be a message. */
  patience(device: number): bigint {
    return this.#patience[device] ?? 0n;
  }

  setPatience(device: number, nanoseconds: bigint): void {
    if (device >= L.DEVICES) return;
    this.#patience[device] = nanoseconds;
    this.#longs[(L.OFFSET_PATIENCE >> 3) + device] = nanoseconds;
  }

  /** Kicks that were left; more than {@link L.KICKS} are an error of the client's. */
  get kicks(): number {
    return this.#words[L.OFFSET_KICKS >> 2] as number;
  }

  /** Says that all kicks were taken. */
  clearKicks(): void {
    this.#words[L.OFFSET_KICKS >> 2] = 0;
  }

  kickTime(place: number): bigint {
    return this.#longs[kickAt(place) >> 3] as bigint;
  }

  kickDevice(place: number): number {
    return this.#halves[(kickAt(place) + L.OFFSET_KICK_DEVICE) >> 1] as number;
  }

  kickQueue(place: number): number {
    return this.#halves[(kickAt(place) + L.OFFSET_KICK_QUEUE) >> 1] as number;
  }

  /** The index of the queue's available ring by the time of the kick. */
  kickAvailable(place: number): number {
    return this.#halves[(kickAt(place) + L.OFFSET_KICK_AVAILABLE) >> 1] as number;
  }
}

function kickAt(place: number): number {
  return L.OFFSET_KICK + place * L.KICK_BYTES;
}
