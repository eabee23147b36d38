// SPDX-License-Identifier: MIT
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { OneclockError } from '../errors.js';

/** Bytes that are read at once. */
const CHUNK = 65_536;
/** Bytes of a varint that can hold a size up to the limit. */
const MAX_SIZE_BYTES = 3;

/** Where a file stops to make sense. */
export interface Damage {
  /** Of the first byte of what could not be read. */
  readonly offset: number;
  /** What was expected and what was found. */
  readonly reason: string;
}

/**
 * Reads a file of records, each behind its size as a varint, with memory for one of them. Any bytes may be in the file:
 * the first size that is too large, and the first record that is not there in full, is damage.
 */
export class RecordFile {
  damage: Damage | undefined;
  /** Of the record that {@link next} gave last. */
  offset = 0;
  private readonly descriptor: number;
  private buffer = Buffer.allocUnsafe(2 * CHUNK);
  /** What was read and not used is in `from` … `to`-1 of the buffer. */
  private from = 0;
  private to = 0;
  /** In the file, of the byte at `from`. */
  private position = 0;
  private closed = false;

  /**
   * @param what how errors call the file: `the run log`
   * @param limit bytes of a record, without the size before it; below 2^21
   * @throws OneclockError INPUT where it cannot be read
   */
  constructor(
    readonly file: string,
    private readonly what: string,
    private readonly limit: number,
  ) {
    this.descriptor = openRegular(file, what);
  }

  /**
   * The bytes of the next record, which are valid until the next call; undefined at the end of the file, and at the first
   * damage and ever after.
   *
   * @throws OneclockError INPUT where the file cannot be read any further
   */
  next(): Uint8Array | undefined {
    if (this.damage !== undefined || this.closed) return undefined;
    this.offset = this.position;
    const size = this.readSize();
    if (size === undefined) return undefined;
    if (!this.fill(size)) {
      const found = `${this.to - this.from} bytes and the end of the file`;
      return this.fail(`expected a record of ${size} bytes, found ${found}`);
    }
    const record = this.buffer.subarray(this.from, this.from + size);
    this.consume(size);
    return record;
  }

  /** Whether nothing follows the last record. */
  get atEnd(): boolean {
    return !this.fill(1);
  }

  /** Says what is wrong with the record that {@link next} gave last; it gives no more. */
  fail(reason: string): undefined {
    this.damage = { offset: this.offset, reason };
  }

  /** Says that nothing was to follow the last record. */
  failBehind(reason: string): undefined {
    this.damage = { offset: this.position, reason };
  }

  /** Lets go of the file. Later calls do nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }

  private readSize(): number | undefined {
    let size = 0;
    for (let byte = 0; byte < MAX_SIZE_BYTES; byte++) {
      if (!this.fill(byte + 1)) {
        if (byte === 0) return undefined;
        return this.fail('expected a record, found a part of one and the end of the file');
      }
      const value = this.buffer[this.from + byte] as number;
      size |= (value & 0x7f) << (7 * byte);
      if (value >= 0x80) continue;
      this.consume(byte + 1);
      if (size > this.limit) return this.fail(`expected a size up to ${this.limit}, found one of ${size}`);
      return size;
    }
    return this.fail(`expected a size up to ${this.limit}`);
  }

  private consume(bytes: number): void {
    this.from += bytes;
    this.position += bytes;
  }

  /** Sees to it that `bytes` can be used. @returns false where the file has fewer */
  private fill(bytes: number): boolean {
    if (this.to - this.from >= bytes) return true;
    this.buffer.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    while (this.to < bytes) {
      if (this.buffer.length - this.to < CHUNK) {
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
