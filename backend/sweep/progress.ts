// SPDX-License-Identifier: MIT
import type { WriteStream } from 'node:tty';
import { printable } from './printable.js';
import type { SweepState } from './sweep.js';

/** Between two plain lines, where there is no terminal. */
const PLAIN_MS = 5_000;

/** Shows how a sweep goes: one line that changes on a terminal, a line now and then elsewhere. */
export class SweepProgress {
  #last = 0;
  #shown = false;

  constructor(
    private readonly stream: Pick<WriteStream, 'isTTY' | 'columns' | 'write'>,
    private readonly enabled: boolean,
  ) {}

  show(state: SweepState): void {
    if (!this.enabled) return;
    const line = describe(state);
    if (this.stream.isTTY) {
      this.#shown = true;
      const width = this.stream.columns || 80;
      this.stream.write(`\r\x1b[K${line.length < width ? line : `${line.slice(0, width - 2)}…`}`);
    } else if (state.wallMs - this.#last >= PLAIN_MS) {
      this.#last = state.wallMs;
      this.stream.write(`${line}\n`);
    }
  }

  /** Clears the line. */
  end(): void {
    if (this.#shown) this.stream.write('\r\x1b[K');
  }
}

/** `run 4 of 25, about 12 s left: k=2, repetition 1; 1 not ok` */
export function describe({ planned, begun, bad, latest, leftMs }: SweepState): string {
  const left = leftMs === undefined ? '' : `, about ${span(leftMs)} left`;
  const wrong = bad === 0 ? '' : `; ${bad} not ok`;
  return printable(`run ${begun} of ${planned}${left}: ${latest}${wrong}`);
}

/** As a person says it: `45 s`, `12 min`, `3.5 h`. */
function span(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
