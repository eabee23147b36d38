// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import type { Gpio } from 'onoff';
import { OneclockError } from '../../backend/errors.js';
import {
  attempt,
  type Direction,
  type EdgeListener,
  expectDirection,
  type Level,
  type Line,
  lineError,
} from './line.js';

/** Loaded when it is first needed: it is an optional package, since it has to be compiled. */
function load(): typeof import('onoff') {
  try {
    return createRequire(import.meta.url)('onoff') as typeof import('onoff');
  } catch (cause) {
    throw new OneclockError('MACHINE', 'lines by sysfs need the npm package onoff: run "npm install onoff"', {
      cause,
    });
  }
}

/** A line by sysfs (Documentation/admin-guide/gpio/sysfs.rst), through the npm package onoff. */
export class SysfsLine implements Line {
  readonly name: string;
  readonly #gpio: Gpio;
  #direction: Direction;
  #open = true;

  /**
   * Exports the line, as an input, or as an output that drives `level`.
   *
   * @param number its number in the kernel: the base of its chip and its offset there
   * @throws OneclockError `MACHINE`; a line that has a name in the kernel cannot be found by its number
   */
  constructor(number: number, direction: Direction = 'in', level: Level = 0) {
    this.name = `gpio${number}`;
    this.#direction = direction;
    const { Gpio } = load();
    this.#gpio = attempt(this.name, 'exported', () => new Gpio(number, toOnoff(direction, level)));
  }

  get direction(): Direction {
    return this.#direction;
  }

  read(): Level {
    return attempt(this.name, 'read', () => this.#gpio.readSync());
  }

  write(level: Level): void {
    expectDirection(this, 'out', 'driven');
    attempt(this.name, 'driven', () => this.#gpio.writeSync(level));
  }

  setDirection(direction: Direction, level?: Level): void {
    attempt(this.name, `made an ${direction}put`, () => this.#gpio.setDirection(toOnoff(direction, level)));
    this.#direction = direction;
  }

  watch({ onEdge, onError }: EdgeListener): () => void {
    expectDirection(this, 'in', 'watched');
    attempt(this.name, 'watched', () => {
      this.#gpio.setEdge('both');
      this.#gpio.watch((error, level) => {
        const at = process.hrtime.bigint();
        if (error) onError(lineError(this.name, 'watched', error));
        else onEdge({ level, at });
      });
    });
    return () => {
      if (!this.#open) return;
      this.#gpio.unwatchAll();
      attempt(this.name, 'left alone', () => this.#gpio.setEdge('none'));
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    attempt(this.name, 'given back', () => this.#gpio.unexport());
  }
}

/** Not `out`, which is low for a moment. */
function toOnoff(direction: Direction, level: Level | undefined): 'in' | 'high' | 'low' {
  if (direction === 'in') return 'in';
  return level === 1 ? 'high' : 'low';
}
