// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import { checkRequestHeader, HEADER_BYTES, MAX_DESCRIPTORS, MAX_PAYLOAD_BYTES, readU32 } from './header.js';

const NO_DESCRIPTORS: readonly number[] = [];

/** Receives what a {@link MessageStream} has cut out of the stream. */
export interface MessageHandler {
  /**
   * One whole request with a good header.
   *
   * @param bytes the payload is the `size` bytes from `at`; valid only until the handler returns
   * @param descriptors passed with this message; the handler owns and closes them, even where it throws
   * @returns false where nothing more is to be handed over: what follows is dropped
   */
  onMessage(
    request: number,
    flags: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    descriptors: readonly number[],
  ): boolean;
}

/**
 * Cuts the stream of a front-end into messages. A piece of the stream brings the descriptors of the last message
 * that starts in it, which is as the kernel hands them over: a read of a Unix stream socket ends with the first
 * message that carries descriptors.
 */
export class MessageStream {
  readonly #handler: MessageHandler;
  readonly #close: (descriptor: number) => void;
  /** The start of a message whose rest has not come yet. */
  readonly #partial = new Uint8Array(HEADER_BYTES + MAX_PAYLOAD_BYTES);
  #length = 0;
  #descriptors = NO_DESCRIPTORS;
  #stopped = false;

  /** @param close closes a descriptor that belongs to no message */
  constructor(handler: MessageHandler, close: (descriptor: number) => void) {
    this.#handler = handler;
    this.#close = close;
  }

  /**
   * Hands over every message that `bytes` completes. After an error the stream is at an end: call
   * {@link discard} and drop it.
   *
   * @throws OneclockError `PARTICIPANT` for what is not the protocol, and whatever the handler throws
   */
  push(bytes: Uint8Array, descriptors: readonly number[]): void {
    let pending = descriptors;
    try {
      if (descriptors.length > MAX_DESCRIPTORS) {
        throw new OneclockError(
          'PARTICIPANT',
          `vhost-user message with ${descriptors.length} descriptors, more than ${MAX_DESCRIPTORS}`,
        );
      }
      let at = this.#length === 0 ? 0 : this.#complete(bytes);
      while (at < bytes.length && !this.#stopped) {
        const left = bytes.length - at;
        const total = left < HEADER_BYTES ? 0 : this.#total(bytes, at);
        const last = total === 0 || total >= left;
        const own = last ? pending : NO_DESCRIPTORS;
        if (last) pending = NO_DESCRIPTORS;
        if (total === 0 || total > left) {
          this.#partial.set(bytes.subarray(at), 0);
          this.#length = left;
          this.#descriptors = own;
          return;
        }
        this.#emit(bytes, at, own);
        at += total;
      }
      if (pending.length > 0 && !this.#stopped) {
        throw new OneclockError('PARTICIPANT', 'vhost-user descriptors in the middle of a message');
      }
    } finally {
      for (const descriptor of pending) this.#close(descriptor);
    }
  }

  /** Closes the descriptors of a message whose rest will not come. */
  discard(): void {
    const descriptors = this.#descriptors;
    this.#descriptors = NO_DESCRIPTORS;
    this.#length = 0;
    for (const descriptor of descriptors) this.#close(descriptor);
  }

  /** Adds to the message that was begun. @returns how many of `bytes` it took */
  #complete(bytes: Uint8Array): number {
    let taken = 0;
    if (this.#length < HEADER_BYTES) {
      taken = this.#take(bytes, 0, HEADER_BYTES);
      if (this.#length < HEADER_BYTES) return taken;
    }
    const total = this.#total(this.#partial, 0);
    taken = this.#take(bytes, taken, total);
    if (this.#length < total) return taken;
    const descriptors = this.#descriptors;
    this.#descriptors = NO_DESCRIPTORS;
    this.#length = 0;
    this.#emit(this.#partial, 0, descriptors);
    return taken;
  }

  #take(bytes: Uint8Array, at: number, upTo: number): number {
    const count = Math.min(upTo - this.#length, bytes.length - at);
    this.#partial.set(bytes.subarray(at, at + count), this.#length);
    this.#length += count;
    return at + count;
  }

  /** Bytes of the message whose header is at `at`. */
  #total(bytes: Uint8Array, at: number): number {
    const size = readU32(bytes, at + 8);
    checkRequestHeader(readU32(bytes, at), readU32(bytes, at + 4), size);
    return HEADER_BYTES + size;
  }

  #emit(bytes: Uint8Array, at: number, descriptors: readonly number[]): void {
    const size = readU32(bytes, at + 8);
    const request = readU32(bytes, at);
    const flags = readU32(bytes, at + 4);
    if (!this.#handler.onMessage(request, flags, bytes, at + HEADER_BYTES, size, descriptors)) {
      this.#stopped = true;
    }
  }
}
