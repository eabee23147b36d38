// SPDX-License-Identifier: MIT

const FIRST = 64;

/** A list of unsigned 32-bit numbers that grows. */
export class Uints {
  array: Uint32Array;
  length = 0;

  /** @param room for how many numbers, to begin with */
  constructor(room = FIRST) {
    this.array = new Uint32Array(Math.max(room, FIRST));
  }

  push(value: number): void {
    if (this.length === this.array.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  at(index: number): number {
    return this.array[index] as number;
  }
}

/** A list of floating-point numbers that grows. */
export class Doubles {
  array = new Float64Array(FIRST);
  length = 0;

  push(value: number): void {
    if (this.length === this.array.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  at(index: number): number {
    return this.array[index] as number;
  }
}
