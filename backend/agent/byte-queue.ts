// SPDX-License-Identifier: MIT

/** Bytes that wait, in pieces as they came; nothing is copied. */
export class ByteQueue {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds `bytes`, which are not to change any more. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** Takes at most `limit` bytes, which may be fewer than there are: a piece of what was added. */
  take(limit: number): Uint8Array {
    const piece = this.#pieces[0];
    if (piece === undefined) return new Uint8Array();
    const taken = piece.subarray(0, limit);
    if (taken.length === piece.length) this.#pieces.shift();
    else this.#pieces[0] = piece.subarray(taken.length);
    this.#length -= taken.length;
    return taken;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#length = 0;
  }
}
