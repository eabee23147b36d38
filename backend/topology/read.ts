// SPDX-License-Identifier: MIT
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { OneclockError } from '../errors.js';
import { type LoadResult, loadTopology, type Overrides } from './load.js';
import type { Topology } from './model.js';
import { problemsError } from './problem.js';
import { MAX_TEXT } from './yaml-source.js';

/**
 * Reads the topology file at `path` and gives a topology or every mistake in it.
 *
 * @throws OneclockError `INPUT` where there is no such text file of at most 1 MiB
 */
export function inspectTopology(path: string, overrides: Overrides = {}): LoadResult {
  const bytes = readBounded(path);
  if (!isUtf8(bytes))
    throw input(
      `${path}:${badLine(bytes)}:1: expected text in UTF-8; found other bytes; save the file as UTF-8`,
    );
  return loadTopology(bytes.toString('utf8'), path, overrides);
}

/**
 * {@link inspectTopology}, for those who go on only with a topology that can be run.
 *
 * @throws OneclockError `INPUT` with one line for each mistake
 */
export function readTopology(path: string, overrides: Overrides = {}): Topology {
  const result = inspectTopology(path, overrides);
  if (result.problems !== undefined) throw problemsError(path, result.problems);
  return result.topology;
}

/** The bytes of the file; bounded before anything is read. */
function readBounded(path: string): Buffer {
  let file: number;
  try {
    // Not blocking, so that a named pipe without a writer is refused and not waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) {
      const found = status.isDirectory() ? 'a directory' : 'something else';
      throw input(`${path}: expected a topology file; found ${found}; name the file itself`);
    }
    const bytes = Buffer.alloc(MAX_TEXT + 1);
    let length = 0;
    for (let count = 1; count > 0 && length < bytes.length; length += count)
      count = readSync(file, bytes, length, bytes.length - length, null);
    if (length > MAX_TEXT)
      throw input(
        `${path}: expected a topology file of at most ${MAX_TEXT} bytes; found more; split the topology`,
      );
    return bytes.subarray(0, length);
  } catch (error) {
    throw error instanceof OneclockError ? error : unreadable(path, error);
  } finally {
    closeSync(file);
  }
}

function unreadable(path: string, error: unknown): OneclockError {
  const code = (error as NodeJS.ErrnoException).code;
  const found =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'no such file; check the path'
      : code === 'EACCES'
        ? 'one without permission to read; change its mode'
        : `an error: ${error instanceof Error ? error.message : String(error)}`;
  return new OneclockError('INPUT', `${path}: expected a topology file; found ${found}`, { cause: error });
}

function input(message: string): OneclockError {
  return new OneclockError('INPUT', message);
}

/** The first line that is not UTF-8; no byte of a longer character is a line feed. */
function badLine(bytes: Buffer): number {
  let line = 1;
  for (let from = 0; from <= bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, from);
    const to = feed < 0 ? bytes.length : feed;
    if (!isUtf8(bytes.subarray(from, to))) return line;
    from = to + 1;
  }
  return line;
}
