// SPDX-License-Identifier: MIT
import { ProtocolFault } from './operation.js';

/** What a guest may send of an operation before it hears more: a window that is opened again as data are taken. */
export class Credit {
  #left: number;

  /** @param window bytes; @param open whether the window is open from the beginning */
  constructor(
    readonly window: number,
    open: boolean,
  ) {
    this.#left = open ? window : 0;
  }

  /** Bytes that the guest may send. */
  get left(): number {
    return this.#left;
  }

  /** The guest has sent `bytes`. @throws ProtocolFault where it had no credit for them */
  use(bytes: number): void {
    if (bytes > this.#left)
      throw new ProtocolFault(`expected at most ${this.#left} bytes of data, found ${bytes}`);
    this.#left -= bytes;
  }

  /** What the guest is to be given to have the whole window again; 0 while that is hardly worth a message. */
  refill(): number {
    const missing = this.window - this.#left;
    if (missing < this.window / 4) return 0;
    this.#left += missing;
    return missing;
  }
}
