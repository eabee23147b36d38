// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneclockError } from '../errors.js';
import { csv } from './csv.js';
import { page } from './page.js';
import type { Combination } from './plan.js';
import type { SweepResult } from './result.js';

/** What the directory of a sweep holds; the first says that it is one. */
const CONTENTS = ['sweep.json', 'sweep.csv', 'sweep.html', 'runs'];
/** File systems take names of 255 bytes. */
const MAX_NAME = 200;

/**
 * Makes `path` the empty directory of a sweep. What an earlier sweep left there is removed; anything else is not touched, and
 * is an error.
 *
 * @throws OneclockError `INPUT`
 */
export function prepareSweepDirectory(path: string): void {
  try {
    const found = existsSync(path) ? readdirSync(path) : [];
    // A folder `runs` of somebody else's is not taken for that of a sweep.
    const ours = found.includes('sweep.json') ? CONTENTS : [];
    const foreign = found.find((name) => !ours.includes(name));
    if (foreign !== undefined) {
      throw new OneclockError(
        'INPUT',
        `${path} holds ${foreign}, which is not of a sweep: name another folder with --out`,
      );
    }
    for (const name of found) rmSync(join(path, name), { recursive: true, force: true });
    mkdirSync(join(path, 'runs'), { recursive: true });
    // So that the directory of a sweep that was killed is known as one.
    writeFileSync(join(path, 'sweep.json'), '{ "status": "error", "reason": "the sweep was not ended" }\n');
  } catch (cause) {
    throw cause instanceof OneclockError ? cause : unusable(path, cause);
  }
}

/** The directory of a run, from that of the sweep. Different combinations have different ones. */
export function runDirectory(combination: Combination, place: number, repetition: number): string {
  const parts = [...combination.given].map(([name, [value = '']]) => `${name}=${encode(value)}`);
  const name = parts.length === 0 ? 'default' : parts.join(',');
  return join('runs', name.length > MAX_NAME ? `combination-${place + 1}` : name, String(repetition));
}

/** @throws OneclockError `MACHINE` */
export function writeSweep(path: string, result: SweepResult): void {
  try {
    writeFileSync(join(path, 'sweep.json'), `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(join(path, 'sweep.csv'), csv(result));
    writeFileSync(join(path, 'sweep.html'), page(result));
  } catch (cause) {
    throw new OneclockError('MACHINE', `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** Letters, digits and `._+-` as they are; all else as in addresses, such as `%2F` for a slash. */
function encode(value: string): string {
  return [...Buffer.from(value, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9._+-]/.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function unusable(path: string, cause: unknown): OneclockError {
  const text = `${path} cannot be made the directory of a sweep: ${(cause as Error).message}`;
  return new OneclockError('INPUT', text, { cause });
}
