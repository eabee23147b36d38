// SPDX-License-Identifier: MIT
import { MESSAGE_BYTES } from './constants.js';

/** One message; `time` is unsigned 64-bit nanoseconds. */
export interface Message {
  readonly op: number;
  readonly sequence: number;
  readonly time: bigint;
}

/** Writes messages one after the other into one buffer of its own, so that none is allocated for each. */
export class MessageEncoder {
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  /** @returns the message; valid until the next call */
  encode(op: number, sequence: number, time: bigint): Uint8Array {
    this.#view.setUint32(0, op, true);
    this.#view.setUint32(4, sequence, true);
    this.#view.setBigUint64(8, time, true);
    return this.#bytes;
  }
}

/** Cuts a stream of bytes, in whatever pieces it comes, into messages. Every byte string is some messages. */
export class MessageDecoder {
  readonly #partial = new Uint8Array(MESSAGE_BYTES);
  #length = 0;

  /** Calls `each` for every message that `bytes` completes. */
  push(bytes: Uint8Array, each: (op: number, sequence: number, time: bigint) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#length === 0 && bytes.length - at >= MESSAGE_BYTES) {
        emit(bytes, at, each);
        at += MESSAGE_BYTES;
        continue;
      }
      const taken = Math.min(MESSAGE_BYTES - this.#length, bytes.length - at);
      this.#partial.set(bytes.subarray(at, at + taken), this.#length);
      this.#length += taken;
      at += taken;
      if (this.#length < MESSAGE_BYTES) return;
      this.#length = 0;
      emit(this.#partial, 0, each);
    }
  }
}

function emit(
  bytes: Uint8Array,
  at: number,
  each: (op: number, sequence: number, time: bigint) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, MESSAGE_BYTES);
  each(view.getUint32(0, true), view.getUint32(4, true), view.getBigUint64(8, true));
}
