// SPDX-License-Identifier: MIT
import { MAX_LINES } from './limits.js';

/** `gpio7`: line 7. */
const NUMBERED = /^gpio(0|[1-9]\d?)$/;

/** The offset that is in the name of a line; undefined: there is none in it. */
export function offsetOf(name: string): number | undefined {
  const [, digits] = NUMBERED.exec(name) ?? [];
  const offset = digits === undefined ? undefined : Number(digits);
  return offset !== undefined && offset < MAX_LINES ? offset : undefined;
}

/**
 * The lines of a node by offset. `gpioN` is line N; other names get the lowest offsets that are left, in their order.
 * A line that is no pin, and comes before one that is, is called `gpioN` as well.
 *
 * @param names of the node's pins, each another one
 */
export function placeLines(names: readonly string[]): string[] {
  const lines: (string | undefined)[] = [];
  for (const name of names) {
    const offset = offsetOf(name);
    if (offset !== undefined) lines[offset] = name;
  }
  let free = 0;
  for (const name of names) {
    if (offsetOf(name) !== undefined) continue;
    while (lines[free] !== undefined) free++;
    lines[free] = name;
  }
  return Array.from(lines, (name, offset) => name ?? `gpio${offset}`);
}
