// SPDX-License-Identifier: MIT
import type { SeenFrame } from '../run/stage.js';
import type { Span } from './engine/index.js';
import { type Site, waitFor } from './site.js';

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
  { matches, timeout }: { readonly matches?: (frame: SeenFrame) => boolean; readonly timeout?: Span },
): Promise<SeenFrame> {
  return waitFor(site, what, timeout, (event) =>
    site.stage.frames.add((frame) => {
      if (isMeant(frame) && (matches === undefined || matches(frame))) event.succeed(frame);
    }),
  );
}
