// SPDX-License-Identifier: MIT
import { closeSync, existsSync, fstatSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openRegular } from '../trace/byte-file.js';
import { findLog, LogReader } from '../trace/log-reader.js';

/** Bytes of a run log that a page takes. */
export const MAX_LOG = 1_073_741_824;
/** Bytes of all captures of a run that a page takes. */
export const MAX_CAPTURES = 134_217_728;
/** Bytes of any other file. */
const MAX_SMALL = 16_777_216;
/** Files whose series are drawn over virtual time or that say how the run went. */
const SMALL = ['result.json', 'cost'];

/** A file of a run directory that the page reads. */
export interface RunFile {
  /** `trace`, `result.json`, `pcap/ab.pcapng`. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

/** The files of a run that the page shows. */
export interface RunFiles {
  /** What people call it: its path, as it was given. */
  readonly label: string;
  readonly files: readonly RunFile[];
  /** What is not shown, and why. */
  readonly left: readonly string[];
}

/**
 * Finds the files of the run at `path`: a run directory, or the run log in one.
 *
 * @throws OneclockError INPUT where there is no run log
 */
export function findRunFiles(path: string): RunFiles {
  const log = findLog(path);
  // Reads the header, so that what is no run log is refused before a page is opened.
  new LogReader(log).close();
  const folder = dirname(log);
  const left: string[] = [];
  const files = [fileOf('trace', log)];
  if ((files[0] as RunFile).size > MAX_LOG) left.push(`trace: only its first ${MAX_LOG} bytes are shown`);
  // A log that is not in a run directory has no right to its neighbours.
  if (basename(log) === 'trace') {
    for (const name of SMALL) {
      const file = join(folder, name);
      if (isFile(file)) takeUpTo(MAX_SMALL, [fileOf(name, file)], files, left);
    }
    takeUpTo(MAX_CAPTURES, captures(folder), files, left);
  }
  return { label: path, files, left };
}

/** Takes the files that fit into `room` bytes together. */
function takeUpTo(room: number, found: readonly RunFile[], files: RunFile[], left: string[]): void {
  let used = 0;
  for (const file of found) {
    used += file.size;
    if (used <= room) files.push(file);
    else left.push(`${file.name}: more than ${room} bytes`);
  }
}

function captures(folder: string): RunFile[] {
  const pcap = join(folder, 'pcap');
  if (!existsSync(pcap)) return [];
  return readdirSync(pcap)
    .filter((name) => name.endsWith('.pcapng') && isFile(join(pcap, name)))
    .sort()
    .map((name) => fileOf(`pcap/${name}`, join(pcap, name)));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function fileOf(name: string, path: string): RunFile {
  return { name, path, size: statSync(path).size };
}

/** At most `most` bytes of a file, from `from` on. @throws OneclockError INPUT */
export function readPart(path: string, from: number, most: number): Buffer {
  const descriptor = openRegular(path, 'the file');
  try {
    const size = Math.max(0, Math.min(fstatSync(descriptor).size - from, most));
    const bytes = Buffer.allocUnsafe(size);
    let used = 0;
    while (used < size) {
      const read = readSync(descriptor, bytes, used, size - used, from + used);
      if (read === 0) break;
      used += read;
    }
    return bytes.subarray(0, used);
  } finally {
    closeSync(descriptor);
  }
}
