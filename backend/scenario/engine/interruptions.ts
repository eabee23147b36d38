// SPDX-License-Identifier: MIT
import type { Duration } from '../../calendar/time.js';

/** What a process gets thrown at what it waits for, when it is cancelled. */
export class Cancelled extends Error {
  override name = 'Cancelled';

  constructor(
    /** What the one who cancelled gave as the reason. */
    readonly reason: unknown,
    message = reason === undefined ? 'cancelled' : `cancelled: ${text(reason)}`,
  ) {
    super(message, reason instanceof Error ? { cause: reason } : undefined);
  }
}

/** What a process gets thrown at what it waits for, when what it holds of a resource is taken from it. */
export class Preempted extends Error {
  override name = 'Preempted';

  constructor(
    resource: string,
    /** For so long it had been held. */
    readonly heldFor: Duration,
  ) {
    super(`${resource} was taken by a request of a higher priority`);
  }
}

/** What `sim.timeout` throws when its time is over. */
export class TimedOut extends Error {
  override name = 'TimedOut';
}

function text(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
