// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { OneclockError } from '../errors.js';

/** Writes the file of `--junit`. @throws OneclockError `INPUT` where that cannot be done */
export function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new OneclockError('INPUT', `--junit: ${file} cannot be written (${(cause as Error).message})`, {
      cause,
    });
  }
}
