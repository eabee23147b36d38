// SPDX-License-Identifier: MIT
import { setImmediate } from 'node:timers/promises';
import type { Hub } from '../../host/native/index.js';

const WAIT_MS = 5;

/** Serves `hub` until `finished`, or throws `what` when `limitMs` of wall time are over. */
export async function drive(
  hub: Hub,
  what: string,
  finished: () => boolean,
  limitMs = 20_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!finished()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    while (!finished() && hub.poll(WAIT_MS) > 0);
    await setImmediate();
  }
}
