// SPDX-License-Identifier: MIT
import type { SeenFrame } from '../run/stage.js';
import type { Span } from './engine/index.js';
import { keep, type Site } from './site.js';

/**
 * Waits for the next frame that `isMeant`, and that `matches`.
 *
 * @param what it is, for messages
 * @throws TimedOut after `timeout` of virtual time
 */
export function waitForFrame(
  site: Site,
  what: string,
  isMeant: (frame: SeenFrame) => boolean,
  filter: { readonly matches?: (frame: SeenFrame) => boolean; readonly timeout?: Span },
): Promise<SeenFrame> {
  return keep(wait(site, what, isMeant, filter));
}

async function wait(
  { sim, stage }: Site,
  what: string,
  isMeant: (frame: SeenFrame) => boolean,
  { matches, timeout }: { readonly matches?: (frame: SeenFrame) => boolean; readonly timeout?: Span },
): Promise<SeenFrame> {
  const event = sim.event<SeenFrame>(what);
  const stop = stage.frames.add((frame) => {
    if (isMeant(frame) && (matches === undefined || matches(frame))) event.succeed(frame);
  });
  try {
    return await (timeout === undefined ? event : sim.timeout(event, timeout));
  } finally {
    stop();
  }
}
