// SPDX-License-Identifier: MIT
import { formatInstant, type Instant } from '../calendar/index.js';
import { OneclockError } from '../errors.js';

/** Why a script failed at `at`: an error of its own with its stack, else what it was told, or what is not as it expected. */
export function scriptFailure(error: unknown, at: Instant): string {
  // An expectation says when it was not met.
  if (error instanceof OneclockError && error.code === 'EXPECTATION')
    return `the script failed: ${error.message}`;
  const place = `the script failed at ${formatInstant(at)} s`;
  if (error instanceof OneclockError) return `${place}: ${error.message}`;
  return `${place}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
