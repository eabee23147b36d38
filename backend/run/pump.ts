// SPDX-License-Identifier: MIT
import { setImmediate } from 'node:timers/promises';
import type { Hub } from '../../host/native/index.js';

/** How long the thread is kept from signals, timers and output at most while messages keep coming. */
const TURN_MS = 20;
/** How long it waits for a message before it looks at those. */
export const WAIT_MS = 20;
/** Polls between two looks at the clock. */
const BATCH = 32;

/**
 * Serves `hub` until `finished`. Messages are handled without a turn of the event loop for each, which would cost
 * more than handling them.
 *
 * @param turn called between turns, at least every few tens of milliseconds
 * @param step called before each wait for messages; says for how many milliseconds there is nothing else to do
 */
export async function pump(
  hub: Hub,
  finished: () => boolean,
  turn: () => void,
  step: () => number = () => WAIT_MS,
): Promise<void> {
  while (!finished()) {
    const end = performance.now() + TURN_MS;
    let idle = false;
    while (!finished() && !idle && performance.now() < end) {
      for (let i = 0; i < BATCH && !idle && !finished(); i++)
        idle = hub.poll(Math.min(step(), WAIT_MS)) === 0;
    }
    turn();
    await setImmediate();
  }
}
