// SPDX-License-Identifier: MIT
import { ByteFile } from './byte-file.js';

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
  private offset = 0;
  private readonly bytes: ByteFile;

  /**
   * @param what how errors call the file: `the run log`
   * @param limit bytes of a record, without the size before it; below 2^21
   * @throws OneclockError INPUT where it cannot be read
   */
  constructor(
    readonly file: string,
    what: string,
    private readonly limit: number,
  ) {
    this.bytes = new ByteFile(file, what, CHUNK);
  }

  /**
   * The bytes of the next record, which are valid until the next call; undefined at the end of the file, and at the first
   * damage and ever after.
   *
   * @throws OneclockError INPUT where the file cannot be read any further
   */
  next(): Uint8Array | undefined {
    if (this.damage !== undefined) return undefined;
    const { bytes } = this;
    this.offset = bytes.position;
    const size = this.readSize();
    if (size === undefined) return undefined;
    if (!bytes.has(size)) {
      return this.fail(
        `expected a record of ${size} bytes, found ${bytes.left} bytes and the end of the file`,
      );
    }
    const record = bytes.view(size);
    bytes.consume(size);
    return record;
  }

  /** Whether nothing follows the last record. */
  get atEnd(): boolean {
    return !this.bytes.has(1);
  }

  /** Says what is wrong with the record that {@link next} gave last; it gives no more. */
  fail(reason: string): undefined {
    this.damage = { offset: this.offset, reason };
  }

  /** Says that nothing was to follow the last record. */
  failBehind(reason: string): undefined {
    this.damage = { offset: this.bytes.position, reason };
  }

  /** Lets go of the file. Later calls do nothing. */
  close(): void {
    this.bytes.close();
  }

  private readSize(): number | undefined {
    const { bytes } = this;
    let size = 0;
    for (let index = 0; index < MAX_SIZE_BYTES; index++) {
      if (!bytes.has(index + 1)) {
        if (index === 0) return undefined;
        return this.fail('expected a record, found a part of one and the end of the file');
      }
      const value = bytes.byte(index);
      size |= (value & 0x7f) << (7 * index);
      if (value >= 0x80) continue;
      bytes.consume(index + 1);
      if (size > this.limit) return this.fail(`expected a size up to ${this.limit}, found one of ${size}`);
      return size;
    }
    return this.fail(`expected a size up to ${this.limit}`);
  }
}
