// SPDX-License-Identifier: MIT
import { CAP_TIME_SHARE, CONTROLLER_ID, FLAG_REQ_RUN, SharedLayout as L } from './constants.js';

/** Bytes of a page for `clients` clients beside the controller. */
export function sharedPageBytes(clients: number): number {
  return L.HEADER_BYTES + (clients + 1) * L.CLIENT_BYTES;
}

/** `struct um_timetravel_schedshm` in memory that is shared with the clients, whose part of it is not trusted. */
export class SharedPage {
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;
  readonly #halves: Uint16Array;

  /** @param bytes zeroes, {@link sharedPageBytes} of them */
  constructor(bytes: Uint8Array, clients: number) {
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.#longs = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 3);
    this.#halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    this.#words[L.OFFSET_VERSION >> 2] = L.VERSION;
    this.#words[L.OFFSET_LENGTH >> 2] = sharedPageBytes(clients);
    this.#halves[L.OFFSET_MAX_CLIENTS >> 1] = clients + 1;
    // A client may leave its request in the page only while the running one uses the page too. Between two
    // clients' turns that is the controller, which reads every request.
    this.#words[clientWord(CONTROLLER_ID, L.OFFSET_CAPABILITIES)] = CAP_TIME_SHARE;
  }

  /** Makes clients go by messages: no client takes a version that it does not know. */
  refuse(): void {
    this.#words[L.OFFSET_VERSION >> 2] = 0;
  }

  get freeUntil(): bigint {
    return this.#longs[L.OFFSET_FREE_UNTIL >> 3] as bigint;
  }

  set freeUntil(time: bigint) {
    this.#longs[L.OFFSET_FREE_UNTIL >> 3] = time;
  }

  get currentTime(): bigint {
    return this.#longs[L.OFFSET_CURRENT_TIME >> 3] as bigint;
  }

  set currentTime(time: bigint) {
    this.#longs[L.OFFSET_CURRENT_TIME >> 3] = time;
  }

  set runningId(id: number) {
    this.#halves[L.OFFSET_RUNNING_ID >> 1] = id;
  }

  /** Whether client `id` uses the page; it says so before its first message after START. */
  sharesTime(id: number): boolean {
    return ((this.#words[clientWord(id, L.OFFSET_CAPABILITIES)] as number) & CAP_TIME_SHARE) !== 0;
  }

  /** When client `id` wants to run; undefined where it has no request. */
  request(id: number): bigint | undefined {
    const flags = this.#words[clientWord(id, L.OFFSET_FLAGS)] as number;
    if ((flags & FLAG_REQ_RUN) === 0) return undefined;
    return this.#longs[clientWord(id, L.OFFSET_REQUEST_TIME) >> 1];
  }
}

function clientWord(id: number, offset: number): number {
  return (L.HEADER_BYTES + id * L.CLIENT_BYTES + offset) >> 2;
}
