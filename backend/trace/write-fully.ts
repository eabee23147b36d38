// SPDX-License-Identifier: MIT
import { writeSync } from 'node:fs';
import { OneclockError } from '../errors.js';

/**
 * Writes all of `bytes` to a file of the run directory.
 *
 * @param what the file, for the error: `the run log`
 * @throws OneclockError MACHINE where it cannot be written
 */
export function writeFully(descriptor: number, bytes: Uint8Array, what: string): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OneclockError(
      'MACHINE',
      `${what} could not be written (${reason}): make room on the disk of the run directory, or choose another with --out`,
      { cause },
    );
  }
}
