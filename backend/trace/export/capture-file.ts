// SPDX-License-Identifier: MIT
import { ByteFile } from '../byte-file.js';
import type { Damage } from '../record-file.js';

// Block types and options: see pcapng.ts.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const IF_NAME = 2;

/** Bytes that are read at once; a run may have a thousand captures. */
const CHUNK = 16_384;
/** Bytes of a block: a frame and what is said of it. */
const MAX_BLOCK = 1_048_576;
const WHAT = 'the capture';
/** Bytes of a block around its body: type, length, and length again. */
const FRAME = 12;
/** Bytes of a packet's block before its frame, and of an interface's before its options. */
const PACKET_HEAD = 28;
const INTERFACE_HEAD = 16;

/** An interface of a capture: its name, and its block. */
export interface CapturedInterface {
  readonly name: string;
  readonly block: Uint8Array;
}

/** A frame of a capture. */
export interface CapturedPacket {
  /** Its place among the interfaces of its capture. */
  readonly interface: number;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** Whole; it is valid until the next packet is read. */
  readonly block: Buffer;
}

/**
 * Reads a capture of a run directory as far as it is one: pcapng in little-endian order with times in nanoseconds, all
 * interfaces first.
 */
export class CaptureFile {
  readonly interfaces: CapturedInterface[] = [];
  damage: Damage | undefined;
  readonly #bytes: ByteFile;
  /** The block behind the interfaces. */
  #ahead: Buffer | undefined;

  /** @throws OneclockError INPUT where it cannot be read */
  constructor(readonly file: string) {
    this.#bytes = new ByteFile(file, WHAT, CHUNK);
    const first = this.#block();
    if (first === undefined) {
      this.damage ??= { offset: 0, reason: 'expected the header of a capture, found the end of the file' };
    } else if (first.readUInt32LE(0) !== SECTION_HEADER || first.readUInt32LE(8) !== BYTE_ORDER_MAGIC) {
      this.damage = { offset: 0, reason: 'expected the header of a capture, found something else' };
    }
    for (let block = this.#block(); block !== undefined; block = this.#block()) {
      if (block.readUInt32LE(0) !== INTERFACE_DESCRIPTION || block.length < INTERFACE_HEAD + 4) {
        this.#ahead = block;
        break;
      }
      this.interfaces.push({ name: nameOf(block), block: Uint8Array.from(block) });
    }
  }

  /** The next frame; undefined at the end, and at the first damage and ever after. @throws OneclockError INPUT */
  next(): CapturedPacket | undefined {
    for (let block = this.#ahead ?? this.#block(); block !== undefined; block = this.#block()) {
      this.#ahead = undefined;
      if (block.readUInt32LE(0) !== ENHANCED_PACKET) continue;
      const offset = this.#bytes.position - block.length;
      if (block.length < PACKET_HEAD + 4) return this.#fail(offset, 'expected a frame, found a part of one');
      const place = block.readUInt32LE(8);
      const { length } = this.interfaces;
      if (place >= length) {
        return this.#fail(offset, `expected one of ${length} interfaces, found ${place}`);
      }
      const captured = block.readUInt32LE(20);
      if (captured > block.length - PACKET_HEAD - 4) {
        return this.#fail(offset, `expected a frame within its block, found ${captured} bytes`);
      }
      const timestamp = (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16));
      return { interface: place, timestamp, block };
    }
    return undefined;
  }

  close(): void {
    this.#bytes.close();
  }

  #block(): Buffer | undefined {
    if (this.damage !== undefined) return undefined;
    const bytes = this.#bytes;
    const offset = bytes.position;
    if (!bytes.has(FRAME)) {
      return bytes.left === 0 ? undefined : this.#fail(offset, 'expected a block, found the end of the file');
    }
    const length = bytes.view(8).readUInt32LE(4);
    if (length < FRAME || length > MAX_BLOCK || length % 4 !== 0) {
      return this.#fail(offset, `expected a block of up to ${MAX_BLOCK} bytes, found one of ${length}`);
    }
    if (!bytes.has(length)) {
      return this.#fail(offset, `expected a block of ${length} bytes, found the end of the file`);
    }
    const block = bytes.view(length);
    bytes.consume(length);
    const again = block.readUInt32LE(length - 4);
    if (again === length) return block;
    return this.#fail(offset, `expected a block that ends with its length, ${length}, found ${again}`);
  }

  #fail(offset: number, reason: string): undefined {
    this.damage = { offset, reason };
  }
}

/** The name of an interface, from the options of its block; empty where it has none. */
function nameOf(block: Buffer): string {
  const end = block.length - 4;
  for (let at = INTERFACE_HEAD; at + 4 <= end; ) {
    const code = block.readUInt16LE(at);
    const length = block.readUInt16LE(at + 2);
    if (code === 0 || at + 4 + length > end) break;
    if (code === IF_NAME) return block.toString('utf8', at + 4, at + 4 + length);
    at += 4 + ((length + 3) & ~3);
  }
  return '';
}
