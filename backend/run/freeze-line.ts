// SPDX-License-Identifier: MIT
import type { Level } from '../wires/index.js';

/** Who holds the line up, when it is neither a guest nor a board. */
export const CONTROLLER = 'the controller';

/**
 * The line that freezes boards. It is up while anyone drives it high, and whoever raised it lowers it: a low output
 * is none, as with a diode in front of each.
 */
export class FreezeLine {
  /** Changes of its level. */
  edges = 0;
  readonly #holders = new Set<string>();

  /** @param changed told of each edge, before the call that brought it about returns */
  constructor(private readonly changed: (level: Level) => void) {}

  get level(): Level {
    return this.#holders.size > 0 ? 1 : 0;
  }

  /** Who holds it up, in the order in which they began to. */
  get holders(): readonly string[] {
    return [...this.#holders];
  }

  raise(holder: string): void {
    const before = this.level;
    this.#holders.add(holder);
    if (before === 0) this.#edge();
  }

  lower(holder: string): void {
    if (this.#holders.delete(holder) && this.level === 0) this.#edge();
  }

  #edge(): void {
    this.edges++;
    this.changed(this.level);
  }
}
