// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';

/**
 * What a script returned, as JSON has it; exact times, which are bigints, as decimal texts.
 *
 * @throws OneclockError `INPUT` where there is no such form
 */
export function plainOutput(output: unknown): unknown {
  try {
    const text = JSON.stringify(output, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value instanceof Map ? Object.fromEntries(value) : value,
    );
    return text === undefined ? null : JSON.parse(text);
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new OneclockError('INPUT', `what the script returned cannot be written as JSON: ${why}`, { cause });
  }
}
