// SPDX-License-Identifier: MIT

const SLAB_BYTES = 64 * 1024;
/** From this size on, a piece gets memory of its own: keeping it must not keep a slab. */
const LARGE_BYTES = SLAB_BYTES / 8;

/** Hands out small arrays cut from large ones, which is several times cheaper than allocating each. */
export class FrameArena {
  #slab = new Uint8Array(0);
  #used = 0;

  /** `length` bytes, zero, that nobody else has. */
  take(length: number): Uint8Array {
    if (length >= LARGE_BYTES) return new Uint8Array(length);
    if (this.#slab.length - this.#used < length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = (at + length + 7) & ~7;
    return new Uint8Array(this.#slab.buffer, at, length);
  }
}
