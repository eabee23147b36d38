// SPDX-License-Identifier: MIT
import { constants } from 'node:os';
import { OneclockError } from '../errors.js';
import { fail } from './output.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** By which signal the process is being ended, if by one. */
export interface Ending {
  /** 128 and the signal's number, as shells have it. */
  exitStatus: number | undefined;
}

/**
 * Sees to it that a signal or an uncaught error ends what runs in good order.
 *
 * @param abort ends it soon
 * @param dispose leaves nothing behind, at once
 */
export function endOnSignals(abort: (error: OneclockError) => void, dispose: () => void): Ending {
  const ending: Ending = { exitStatus: undefined };
  for (const name of SIGNALS) {
    process.on(name, () => {
      ending.exitStatus ??= 128 + constants.signals[name];
      abort(new OneclockError('INTERRUPTED', `ended by ${name}`));
    });
  }
  // The run of a sweep has a channel to it, and is of no use when the sweep is gone.
  process.on('disconnect', () => abort(new OneclockError('INTERRUPTED', 'the sweep that it is of is gone')));
  process.channel?.unref();
  process.on('uncaughtException', (error) => {
    dispose();
    fail(error);
    process.exit();
  });
  return ending;
}
