// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { closeSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openRegular, readInto } from './byte-file.js';
import { RUN_LOG } from './log-reader.js';

/** Bytes that are read at once. */
const CHUNK = 1_048_576;
/** Bytes of a result.json that is read. */
const MAX_RESULT = 67_108_864;

/**
 * Holds a log against the hash that the run gave for it in `result.json`.
 *
 * @returns what is wrong; undefined where it is as the run wrote it, or where there is no hash to go by
 * @throws OneclockError INPUT where the log cannot be read
 */
export function alteration(log: string): string | undefined {
  const expected = expectedHash(join(dirname(log), 'result.json'));
  if (expected === undefined) return undefined;
  const found = hashOf(log);
  if (found === expected) return undefined;
  return `expected ${expected}, as result.json has it, found ${found}`;
}

function expectedHash(file: string): string | undefined {
  try {
    if (!existsSync(file) || !statSync(file).isFile() || statSync(file).size > MAX_RESULT) return undefined;
    const { traceHash } = JSON.parse(readFileSync(file, 'utf8')) as { traceHash?: unknown };
    return typeof traceHash === 'string' && /^sha256:[0-9a-f]{64}$/.test(traceHash) ? traceHash : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(log: string): string {
  const descriptor = openRegular(log, RUN_LOG);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let read = CHUNK; read > 0; ) {
      read = readInto(log, RUN_LOG, descriptor, buffer, 0);
      hash.update(buffer.subarray(0, read));
    }
    return `sha256:${hash.digest('hex')}`;
  } finally {
    closeSync(descriptor);
  }
}
