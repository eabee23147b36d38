// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';

/** Low or high. */
export type Level = 0 | 1;
export type Direction = 'in' | 'out';

/** A change of a line's level. */
export interface Edge {
  readonly level: Level;
  /**
   * Nanoseconds of CLOCK_MONOTONIC: the kernel's own time of the edge by the character device, else the time at which this
   * process heard of it.
   */
  readonly at: bigint;
}

/** What hears of edges, and of what keeps them from being heard of. */
export interface EdgeListener {
  onEdge(edge: Edge): void;
  onError(error: OneclockError): void;
}

/** A GPIO line of the machine that this process runs on. Each method throws OneclockError `MACHINE` where it fails. */
export interface Line {
  /** For errors: `gpiochip0:3`. */
  readonly name: string;
  readonly direction: Direction;
  /** The level at the line, also of an output. */
  read(): Level;
  /** Drives an output. */
  write(level: Level): void;
  /** Makes it an input, or an output that drives `level` from the beginning. */
  setDirection(direction: 'in'): void;
  setDirection(direction: 'out', level: Level): void;
  /** Tells `listener` of each edge of an input; one listener at a time. @returns what ends it */
  watch(listener: EdgeListener): () => void;
  /** Gives the line back. Safe to call twice. */
  close(): void;
}

/** The error of something that failed at the line `name`. */
export function lineError(name: string, what: string, cause: unknown): OneclockError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OneclockError('MACHINE', `the line ${name} cannot be ${what}: ${reason}`, { cause });
}

/** What `act` gives; what it throws becomes a {@link lineError}. */
export function attempt<T>(name: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof OneclockError ? cause : lineError(name, what, cause);
  }
}

/** @throws OneclockError where a line that has to be of one direction is of another */
export function expectDirection(
  line: Pick<Line, 'name' | 'direction'>,
  wanted: Direction,
  what: string,
): void {
  if (line.direction === wanted) return;
  const found = line.direction === 'in' ? 'an input' : 'an output';
  throw new OneclockError('MACHINE', `the line ${line.name} cannot be ${what}: it is ${found}`);
}
