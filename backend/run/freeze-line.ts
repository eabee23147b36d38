// SPDX-License-Identifier: MIT
import type { Level } from '../wires/index.js';
import type { Copper } from './host-line.js';

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
  /** What boards elsewhere have of the line. */
  #copper: Copper | undefined;

  /** @param changed told of each edge, before the call that brought it about returns */
  constructor(private readonly changed: (level: Level) => void) {}

  get level(): Level {
    return this.#holders.size > 0 ? 1 : 0;
  }

  /** Who holds it up, in the order in which they began to. */
  get holders(): readonly string[] {
    return [...this.#holders];
  }

  /** Joins the line to copper, where others may hold it as well: to us, they are one holder. */
  join(copper: Copper): void {
    this.#copper = copper;
    copper.listen((held) => (held ? this.raise(copper.name) : this.lower(copper.name)));
  }

  isHeldBy(holder: string): boolean {
    return this.#holders.has(holder);
  }

  raise(holder: string): void {
    const before = this.level;
    this.#holders.add(holder);
    if (holder !== this.#copper?.name) this.#copper?.drive(true);
    if (before === 0) this.#edge();
  }

  lower(holder: string): void {
    // Who else holds the copper is heard of here, and the line does not fall in between.
    if (this.#holders.has(holder) && this.#isLastOfOurs(holder)) this.#copper?.drive(false);
    if (this.#holders.delete(holder) && this.level === 0) this.#edge();
  }

  #isLastOfOurs(holder: string): boolean {
    const theirs = this.#copper?.name;
    return holder !== theirs && this.holders.every((each) => each === holder || each === theirs);
  }

  #edge(): void {
    this.edges++;
    this.changed(this.level);
  }
}
