// SPDX-License-Identifier: MIT
import { Doubles } from './lists.js';
import { Times } from './times.js';

/** Values over virtual time, in order of time. */
export class Series {
  readonly times = new Times();
  readonly values = new Doubles();

  constructor(
    readonly name: string,
    /** A value in words. */
    readonly format: (value: number) => string,
  ) {}

  add(at: bigint, value: number): void {
    this.times.push(Number(at >> 32n), Number(at & 0xffff_ffffn));
    this.values.push(value);
  }
}
