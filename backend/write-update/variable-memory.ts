// SPDX-License-Identifier: MIT

const WORD = 8;
const BYTE_BITS = 8n;
/** How often a word that changes all the time is tried: a guest that runs may see to it that it always has. */
const MAX_TRIES = 10_000;

/** The memory of a guest, for stores that are one access each, whatever the guest does meanwhile. */
export class VariableMemory {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;

  /** @param bytes all of it, aligned to 8 bytes, as is its length */
  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, length } = bytes;
    this.#bytes = bytes;
    this.#halves = new Uint16Array(buffer, byteOffset, length >> 1);
    this.#words = new Uint32Array(buffer, byteOffset, length >> 2);
    this.#longs = new BigUint64Array(buffer, byteOffset, length >> 3);
  }

  /**
   * Stores a value in one atomic access, in the order of bytes of x86.
   *
   * @param address of a variable that lies within an aligned word of 8 bytes of the memory
   * @param size 1 to 8 bytes
   * @param value fits the size
   * @returns false where the guest changes what is beside the variable all the time, so that it cannot be stored
   */
  store(address: number, size: number, value: bigint): boolean {
    if (size === 8) Atomics.store(this.#longs, address / 8, value);
    else if (size === 4 && address % 4 === 0) Atomics.store(this.#words, address / 4, Number(value));
    else if (size === 2 && address % 2 === 0) Atomics.store(this.#halves, address / 2, Number(value));
    else if (size === 1) Atomics.store(this.#bytes, address, Number(value));
    else return this.#merge(address, size, value);
    return true;
  }

  /** What no store of the processor does alone: the word with its other bytes as they are. */
  #merge(address: number, size: number, value: bigint): boolean {
    const place = Math.floor(address / WORD);
    const shift = BigInt(address % WORD) * BYTE_BITS;
    const mask = ((1n << (BigInt(size) * BYTE_BITS)) - 1n) << shift;
    const bits = value << shift;
    let present = Atomics.load(this.#longs, place);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = Atomics.compareExchange(this.#longs, place, present, (present & ~mask) | bits);
      if (found === present) return true;
      present = found;
    }
    return false;
  }
}
