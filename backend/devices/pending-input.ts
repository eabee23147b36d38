// SPDX-License-Identifier: MIT
import type { DescriptorChain } from './descriptor-chain.js';

/** Bytes on their way into the guest, up to a limit, in pieces as they came. */
export class PendingInput {
  readonly #limit: number;
  #pieces: Uint8Array[] = [];
  /** How much of the first piece is gone. */
  #consumed = 0;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds all of `bytes`, which is not to change any more. @returns false, and adds nothing, past the limit */
  add(bytes: Uint8Array): boolean {
    if (this.#length + bytes.length > this.#limit) return false;
    if (bytes.length > 0) this.#pieces.push(bytes);
    this.#length += bytes.length;
    return true;
  }

  clear(): void {
    this.#pieces = [];
    this.#consumed = this.#length = 0;
  }

  /** Moves as much as it can into `chain`. @returns how many bytes */
  moveTo(chain: DescriptorChain): number {
    let done = 0;
    let piece = 0;
    for (; piece < this.#pieces.length; piece++) {
      const bytes = this.#pieces[piece] as Uint8Array;
      const count = chain.scatter(bytes, done, this.#consumed);
      done += count;
      if (this.#consumed + count < bytes.length) {
        this.#consumed += count;
        break;
      }
      this.#consumed = 0;
    }
    this.#pieces.splice(0, piece);
    this.#length -= done;
    return done;
  }
}
