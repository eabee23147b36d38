// SPDX-License-Identifier: MIT

/** Low or high. */
export type Level = 0 | 1;

/**
 * What a pin does to its net: a push-pull output drives a level. An input drives nothing, and an open-drain output
 * nothing or low.
 */
export type Drive = Level | undefined;

/** What a net is when nobody drives it. */
export type Pull = 'up' | 'down';

/**
 * The level of a net: low wins where drivers disagree, as it does with open-drain outputs, where that is the use of
 * it, and mostly does with the others.
 *
 * @param high whether anybody drives it high
 * @param low whether anybody drives it low
 */
export function resolve(high: boolean, low: boolean, pull: Pull): Level {
  if (low) return 0;
  return high || pull === 'up' ? 1 : 0;
}

/** What a step has made of a net. */
export interface Step {
  /** The level, where it is another one now. */
  readonly level: Level | undefined;
  /** Drivers disagree, and did not before. */
  readonly conflict: boolean;
  /** The pins for which what comes from the others is another one now, ascending. */
  readonly told: readonly number[];
}

/** The middle of a wire: what its pins do to it, and what comes of that. */
export class Net {
  readonly #drives: Drive[];
  /** What each pin was told last of what the others do. */
  readonly #others: Drive[];
  #high = 0;
  #low = 0;
  #up = true;
  #level: Level;
  #conflict = false;

  constructor(
    pins: number,
    readonly pull: Pull,
  ) {
    this.#drives = new Array<Drive>(pins).fill(undefined);
    this.#others = new Array<Drive>(pins).fill(undefined);
    this.#level = resolve(false, false, pull);
  }

  get level(): Level {
    return this.#level;
  }

  /** Whether one pin drives it high and another low; false while it is cut. */
  get conflict(): boolean {
    return this.#conflict;
  }

  /** What pin `place` does. */
  driveOf(place: number): Drive {
    return this.#drives[place];
  }

  /** What comes to pin `place` from the others; undefined: none of them drives. */
  othersOf(place: number): Drive {
    if (!this.#up) return undefined;
    const own = this.#drives[place];
    if (this.#low > (own === 0 ? 1 : 0)) return 0;
    return this.#high > (own === 1 ? 1 : 0) ? 1 : undefined;
  }

  /** From now on pin `place` does `drive`. */
  drive(place: number, drive: Drive): Step {
    this.#count(this.#drives[place], -1);
    this.#drives[place] = drive;
    this.#count(drive, 1);
    return this.#step();
  }

  /** Cuts the net, so that no pin sees another and its level is that of the pull, or mends it. */
  connect(up: boolean): Step {
    this.#up = up;
    return this.#step();
  }

  #count(drive: Drive, by: number): void {
    if (drive === 1) this.#high += by;
    else if (drive === 0) this.#low += by;
  }

  #step(): Step {
    const [high, low] = [this.#up && this.#high > 0, this.#up && this.#low > 0];
    const before = { level: this.#level, conflict: this.#conflict };
    this.#level = resolve(high, low, this.pull);
    this.#conflict = high && low;
    const told: number[] = [];
    for (let place = 0; place < this.#drives.length; place++) {
      const others = this.othersOf(place);
      if (others === this.#others[place]) continue;
      this.#others[place] = others;
      told.push(place);
    }
    return {
      level: this.#level === before.level ? undefined : this.#level,
      conflict: this.#conflict && !before.conflict,
      told,
    };
  }
}

/** The end of a wire at a pin: what the pin does, and what has come from the others. */
export class End {
  own: Drive;
  others: Drive;

  constructor(readonly pull: Pull) {}

  /** The level that the pin sees. */
  get level(): Level {
    const both = [this.own, this.others];
    return resolve(both.includes(1), both.includes(0), this.pull);
  }
}
