// SPDX-License-Identifier: MIT
import { setTimeout as pause } from 'node:timers/promises';

const STEP_MS = 5;

/** Looks until `find` finds something, for what no event tells of. Throws `what` when `limitMs` is over. */
export async function until<T>(what: string, find: () => T | undefined, limitMs = 20_000): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(STEP_MS);
  }
}
