// SPDX-License-Identifier: MIT
import type { LogEnd } from '../../../protocols/trace/index.js';
import type { Instant } from '../../calendar/index.js';
import type { LoggedEvent } from '../log-reader.js';
import type { Damage } from '../record-file.js';

/** How what was exported came to its end. */
export interface Closing {
  /** Of the last event that was read, or that of the end. */
  readonly at: Instant;
  /** Undefined where the log has none, or it is past what was asked for. */
  readonly end: LogEnd | undefined;
  readonly damage: Damage | undefined;
}

/** Turns events, in the order of the log, into a file of some format. Its memory does not grow with their number. */
export interface Exporter {
  event(event: LoggedEvent): void;
  /** No event follows. */
  close(closing: Closing): void;
  /** How much {@link take} would give, in bytes or characters. */
  readonly size: number;
  /** What was made since the last call. It is valid until the next call of any method. */
  take(): Uint8Array | string;
}

/** Text that is gathered until it is taken. */
export class Text {
  #text = '';

  get size(): number {
    return this.#text.length;
  }

  add(text: string): void {
    this.#text += text;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}
