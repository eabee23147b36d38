// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OneclockError } from '../errors.js';

/** What a run directory holds. */
const CONTENTS = ['result.json', 'trace', 'cost', 'pcap', 'console', 'control', 'recording', 'topology.yaml'];

/**
 * Makes `path` an empty run directory. What an earlier run left there is removed; anything else is not touched, and
 * is an error, for it would be mistaken for a result.
 *
 * @throws OneclockError `INPUT`
 */
export function prepareRunDirectory(path: string): void {
  try {
    const foreign = existsSync(path) ? readdirSync(path).filter((name) => !CONTENTS.includes(name)) : [];
    if (foreign.length > 0) {
      throw new OneclockError(
        'INPUT',
        `${path} holds ${foreign[0]}, which is not of a run: name another folder with --out`,
      );
    }
    for (const name of CONTENTS) rmSync(join(path, name), { recursive: true, force: true });
    for (const name of ['pcap', 'console']) mkdirSync(join(path, name), { recursive: true });
  } catch (cause) {
    if (cause instanceof OneclockError) throw cause;
    throw new OneclockError('INPUT', `${path} cannot be made a run directory: ${(cause as Error).message}`, {
      cause,
    });
  }
}
