// SPDX-License-Identifier: MIT
import {
  attempt,
  type Direction,
  type EdgeListener,
  expectDirection,
  type Level,
  type Line,
} from '../line.js';

/** What of a line can be made to fail. */
export type LineStep = 'read' | 'write' | 'setDirection' | 'watch' | 'close';

/** A line that exists only in a test: it keeps what it is made, and what is outside is the test's to say. */
export class FakeLine implements Line {
  direction: Direction = 'in';
  /** Steps that fail, each with its reason. */
  readonly failing = new Map<LineStep, string>();
  /** What an output drives. */
  driven: Level = 0;
  open = true;
  #outside: Level = 0;
  #listener: EdgeListener | undefined;

  constructor(
    readonly name: string,
    /** The present time, for edges. */
    private readonly now: () => bigint = () => 0n,
  ) {}

  get watched(): boolean {
    return this.#listener !== undefined;
  }

  /** The level that others make of the line. */
  set outside(level: Level) {
    const before = this.#level;
    this.#outside = level;
    if (this.#level !== before) this.#listener?.onEdge({ level, at: this.now() });
  }

  read(): Level {
    this.#try('read', 'read');
    return this.#level;
  }

  write(level: Level): void {
    expectDirection(this, 'out', 'driven');
    this.#try('write', 'driven');
    this.driven = level;
  }

  setDirection(direction: Direction, level: Level = 0): void {
    this.#try('setDirection', `made an ${direction}put`);
    this.direction = direction;
    if (direction === 'out') this.driven = level;
  }

  watch(listener: EdgeListener): () => void {
    expectDirection(this, 'in', 'watched');
    this.#try('watch', 'watched');
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  close(): void {
    this.#try('close', 'given back');
    this.open = false;
    this.#listener = undefined;
  }

  get #level(): Level {
    return this.direction === 'out' ? this.driven : this.#outside;
  }

  #try(step: LineStep, what: string): void {
    attempt(this.name, what, () => {
      const reason = this.failing.get(step);
      if (reason !== undefined) throw new Error(reason);
      if (!this.open) throw new Error('it was given back');
    });
  }
}
