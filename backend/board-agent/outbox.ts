// SPDX-License-Identifier: MIT

import { type BoardAnswer, type BoardEvent, encodeFromBoard } from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';

/** Answers and events of a session that the controller has not acknowledged yet, in their order. */
export class Outbox {
  /** Encoded, from the oldest to the newest; the newest has the sequence number `last`. */
  readonly #kept: Uint8Array[] = [];
  #last = 0;
  #bytes = 0;

  /** @param limit bytes from which on the outbox is full */
  constructor(private readonly limit: number) {}

  /** Whether nothing should be added that can wait or be dropped. Answers are added all the same. */
  get full(): boolean {
    return this.#bytes >= this.limit;
  }

  /** Whether there is room again for what has waited. */
  get roomy(): boolean {
    return this.#bytes <= this.limit / 2;
  }

  /** @returns the message as it travels */
  add(request: number, body: BoardAnswer | BoardEvent): Uint8Array {
    this.#last += 1;
    const bytes = encodeFromBoard({ sequence: this.#last, request, body });
    this.#kept.push(bytes);
    this.#bytes += bytes.length;
    return bytes;
  }

  /**
   * Forgets everything up to the sequence number `received`.
   *
   * @throws OneclockError PARTICIPANT where there was no such message yet
   */
  acknowledge(received: number): void {
    if (received > this.#last) {
      throw new OneclockError(
        'PARTICIPANT',
        `expected an acknowledgement of at most ${this.#last}, found ${received}`,
      );
    }
    const oldest = this.#last - this.#kept.length + 1;
    const gone = received - oldest + 1;
    if (gone <= 0) return;
    for (const { length } of this.#kept.splice(0, gone)) this.#bytes -= length;
  }

  /** Everything that has to be sent again on a new connection. */
  kept(): readonly Uint8Array[] {
    return this.#kept;
  }
}
