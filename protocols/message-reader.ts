// SPDX-License-Identifier: MIT
import { OneclockError } from '../backend/errors.js';

/** Bytes of a varint that can hold the size of any message. */
const MAX_SIZE_BYTES = 3;

/**
 * Reads messages from a stream, in whatever pieces it comes. A size is checked before anything is buffered for it. The
 * first fault, a `PARTICIPANT` error, is final: every later call throws it again.
 */
export class MessageReader<T> {
  /** The size of the message under way, as far as it is known. */
  #size = 0;
  #sizeBytes = 0;
  #sizeKnown = false;
  /** The message under way; allocated when its size is known to be allowed. */
  #message = new Uint8Array();
  #filled = 0;
  #fault: OneclockError | undefined;

  /**
   * @param peer how errors call the sender
   * @param limit bytes of a message, without the size before it; below 2^21
   * @param decode reads one message; throws what was expected and what was found
   */
  constructor(
    readonly peer: string,
    private readonly limit: number,
    private readonly decode: (bytes: Uint8Array) => T,
  ) {}

  /**
   * Takes the next bytes of the stream and hands over the messages that they complete, one by one. What `take` throws
   * is passed on.
   */
  push(bytes: Uint8Array, take: (message: T) => void): void {
    if (this.#fault) throw this.#fault;
    let at = 0;
    while (at < bytes.length) {
      if (this.#sizeKnown) {
        const part = bytes.subarray(at, at + this.#size - this.#filled);
        this.#message.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
      } else {
        this.#takeSizeByte(bytes[at++] as number);
      }
      if (this.#sizeKnown && this.#filled === this.#size) take(this.#takeMessage());
    }
  }

  #takeSizeByte(byte: number): void {
    this.#size += (byte & 0x7f) * 2 ** (7 * this.#sizeBytes);
    this.#sizeBytes += 1;
    this.#sizeKnown = byte < 0x80;
    if (!this.#sizeKnown && this.#sizeBytes < MAX_SIZE_BYTES) return;
    if (!this.#sizeKnown || this.#size > this.limit) {
      const found = this.#sizeKnown ? `one of ${this.#size}` : 'a size that takes more bytes';
      this.#fail(`expected a message of at most ${this.limit} bytes, found ${found}`);
    }
    this.#message = new Uint8Array(this.#size);
    this.#filled = 0;
  }

  /** Says that the stream is over: a message that is not complete by now never will be. */
  end(): void {
    if (this.#fault) throw this.#fault;
    if (this.#sizeKnown)
      this.#fail(`expected the ${this.#size} bytes of a message, found ${this.#filled} bytes and the end`);
    if (this.#sizeBytes > 0)
      this.#fail(`expected the size of a message, found ${this.#sizeBytes} bytes of it and the end`);
  }

  #takeMessage(): T {
    const message = this.#message;
    this.#size = 0;
    this.#sizeBytes = 0;
    this.#sizeKnown = false;
    this.#message = new Uint8Array();
    this.#filled = 0;
    try {
      return this.decode(message);
    } catch (error) {
      this.#fail((error as Error).message, error);
    }
  }

  #fail(text: string, cause?: unknown): never {
    this.#fault = new OneclockError('PARTICIPANT', `${this.peer}: ${text}`, { cause });
    throw this.#fault;
  }
}
