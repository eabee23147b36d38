// SPDX-License-Identifier: MIT
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { OneclockError } from '../errors.js';

/** Reads a file from its beginning on, with memory for as much as is asked for at once. */
export class ByteFile {
  /** In the file, of the next byte. */
  position = 0;
  private readonly descriptor: number;
  private buffer: Buffer;
  /** What was read and not used is in `from` … `to`-1 of the buffer. */
  private from = 0;
  private to = 0;
  private closed = false;

  /**
   * @param what how errors call the file: `the run log`
   * @param chunk bytes that are read at once
   * @throws OneclockError INPUT where it cannot be read
   */
  constructor(
    readonly file: string,
    private readonly what: string,
    private readonly chunk: number,
  ) {
    this.descriptor = openRegular(file, what);
    this.buffer = Buffer.allocUnsafe(2 * chunk);
  }

  /** Bytes that were read and not used. */
  get left(): number {
    return this.to - this.from;
  }

  /** Sees to it that `bytes` are there. @returns false where the file has fewer @throws OneclockError INPUT */
  has(bytes: number): boolean {
    if (this.to - this.from >= bytes) return true;
    if (this.closed) return false;
    this.buffer.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    while (this.to < bytes) {
      if (this.buffer.length - this.to < this.chunk) {
        const larger = Buffer.allocUnsafe(2 * this.buffer.length);
        this.buffer.copy(larger, 0, 0, this.to);
        this.buffer = larger;
      }
      const read = readInto(this.file, this.what, this.descriptor, this.buffer, this.to);
      if (read === 0) return false;
      this.to += read;
    }
    return true;
  }

  /** One of the bytes that are there. */
  byte(index: number): number {
    return this.buffer[this.from + index] as number;
  }

  /** Those that are there, which are valid until the next call of {@link has}. */
  view(bytes: number): Buffer {
    return this.buffer.subarray(this.from, this.from + bytes);
  }

  consume(bytes: number): void {
    this.from += bytes;
    this.position += bytes;
  }

  /** Lets go of the file. Later calls do nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }
}

/** Opens a regular file: a pipe or a device could make us wait for ever. @throws OneclockError INPUT */
export function openRegular(file: string, what: string): number {
  let descriptor: number;
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file');
    descriptor = openSync(file, 'r');
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw unreadable(file, what, new Error('it is not a file'));
}

/** Reads what fits behind `at`. @returns how many bytes, 0 at the end @throws OneclockError INPUT */
export function readInto(file: string, what: string, descriptor: number, buffer: Buffer, at: number): number {
  try {
    return readSync(descriptor, buffer, at, buffer.length - at, null);
  } catch (cause) {
    throw unreadable(file, what, cause);
  }
}

export function unreadable(file: string, what: string, cause: unknown): OneclockError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OneclockError(
    'INPUT',
    `${what} ${file} cannot be read (${reason}): give a run directory, or its file`,
    { cause },
  );
}
