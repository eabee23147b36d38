// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { type Instant, NEVER, ZERO } from '../calendar/time.js';
import { invariant } from '../errors.js';
import { writeFully } from './write-fully.js';

/**
 * Captures in the pcapng format (draft-ietf-opsawg-pcapng), little-endian.
 *
 * A file has one interface for each end of a link. A frame appears on the interface of its sender as outbound at
 * the instant it was sent, and on the interface of its receiver as inbound at the instant it arrived. A frame that
 * was dropped appears as outbound only, with a comment that says why. Nothing in the file comes from the machine
 * or the wall clock: the same run gives the same bytes.
 */

// Block types: sections 4.1, 4.2, 4.3, 4.6.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LENGTH_UNKNOWN = 0xffff_ffff_ffff_ffffn;
const LINKTYPE_ETHERNET = 1;
/** Timestamps count 10^-9 s (if_tsresol, section 4.2). */
const NANOSECONDS = Uint8Array.of(9);
/** An option's length is a 16-bit field (section 3.5). */
const MAX_OPTION = 0xffff;

const OPT_COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_OS = 3;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_SPEED = 8;
const IF_TSRESOL = 9;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;
const EPB_FLAGS = 2;

/** Bits 0 and 1 of epb_flags (section 4.3.1). */
const DIRECTION = { inbound: 1, outbound: 2 } as const;

const NO_DATA = new Uint8Array(0);
/** Where the fixed fields of a block begin, behind its type and its length. */
const BODY = 8;

/** What errors call the file. */
const WHAT = 'a capture';
/** Bytes that are gathered before they are written. */
const CHUNK = 65_536;

/** Text is UTF-8; a number is a 32-bit field, a bigint a 64-bit one. */
type Option = readonly [code: number, value: string | number | bigint | Uint8Array];

/** One end of a link. */
export interface CaptureInterface {
  /** `a.eth0` */
  readonly name: string;
  /** The link's name. */
  readonly description: string;
  /** Bits per second; undefined: not limited. */
  readonly speed: bigint | undefined;
}

export interface CapturedFrame {
  /** Index of the interface in the order in which they were described. */
  readonly interface: number;
  readonly direction: 'inbound' | 'outbound';
  readonly bytes: Uint8Array;
  /** Why the frame was dropped; undefined: it was not. */
  readonly dropped?: string | undefined;
}

export interface InterfaceCounts {
  /** Frames in the file that came or went by this interface, with those that were dropped. */
  readonly frames: number;
  readonly dropped: number;
}

/** The block that a file begins with (section 4.1). Its texts are fixed. */
export function sectionHeader(): Uint8Array {
  const out = block(SECTION_HEADER, 16, NO_DATA, [
    [SHB_HARDWARE, 'virtual network'],
    [SHB_OS, 'virtual time'],
    [SHB_USERAPPL, 'oneclock'],
  ]);
  out.writeUInt32LE(BYTE_ORDER_MAGIC, BODY);
  out.writeUInt16LE(1, BODY + 4);
  out.writeUInt16LE(0, BODY + 6);
  out.writeBigUInt64LE(LENGTH_UNKNOWN, BODY + 8);
  return out;
}

/** The block that gives the next interface its index (section 4.2): Ethernet, nanoseconds, frames in full. */
export function interfaceDescription(end: CaptureInterface): Uint8Array {
  const speed: Option[] = end.speed === undefined ? [] : [[IF_SPEED, end.speed]];
  const out = block(INTERFACE_DESCRIPTION, 8, NO_DATA, [
    [IF_NAME, end.name],
    [IF_DESCRIPTION, end.description],
    ...speed,
    [IF_TSRESOL, NANOSECONDS],
  ]);
  // A snapshot length of 0, which is there already, means no limit.
  out.writeUInt16LE(LINKTYPE_ETHERNET, BODY);
  return out;
}

/**
 * A frame (section 4.3).
 *
 * @param timestamp nanoseconds since 1970-01-01T00:00:00Z, 0 … 2^64-1
 */
export function enhancedPacket(frame: CapturedFrame, timestamp: bigint): Uint8Array {
  const flags: Option = [EPB_FLAGS, DIRECTION[frame.direction]];
  const options: Option[] = frame.dropped === undefined ? [flags] : [flags, [OPT_COMMENT, frame.dropped]];
  const out = block(ENHANCED_PACKET, 20, frame.bytes, options);
  out.writeUInt32LE(frame.interface, BODY);
  writeTimestamp(out, BODY + 4, timestamp);
  out.writeUInt32LE(frame.bytes.length, BODY + 12);
  out.writeUInt32LE(frame.bytes.length, BODY + 16);
  return out;
}

/**
 * What an interface counted (section 4.6).
 *
 * @param timestamp nanoseconds since 1970-01-01T00:00:00Z, 0 … 2^64-1
 */
export function interfaceStatistics(index: number, counts: InterfaceCounts, timestamp: bigint): Uint8Array {
  const out = block(INTERFACE_STATISTICS, 12, NO_DATA, [
    [ISB_IFRECV, BigInt(counts.frames)],
    [ISB_IFDROP, BigInt(counts.dropped)],
  ]);
  out.writeUInt32LE(index, BODY);
  writeTimestamp(out, BODY + 4, timestamp);
  return out;
}

/**
 * A block (section 3.1) that is complete but for its fixed fields, `fixed` bytes at {@link BODY}, which are zero.
 * Data and options are padded to a multiple of 4 bytes.
 */
function block(type: number, fixed: number, data: Uint8Array, options: readonly Option[]): Buffer {
  const optionsAt = BODY + fixed + padded(data.length);
  let size = optionsAt + 8;
  for (const [, value] of options) size += 4 + padded(optionLength(value));
  const out = Buffer.allocUnsafe(size).fill(0);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(size, 4);
  out.set(data, BODY + fixed);
  let at = optionsAt;
  for (const option of options) at = writeOption(out, at, option);
  // opt_endofopt is four zero bytes, which are there already.
  out.writeUInt32LE(size, size - 4);
  return out;
}

/** @returns where the next option goes */
function writeOption(out: Buffer, at: number, [code, value]: Option): number {
  const length = optionLength(value);
  invariant(length <= MAX_OPTION, () => `a pcapng option holds ${MAX_OPTION} bytes; found ${length}`);
  out.writeUInt16LE(code, at);
  out.writeUInt16LE(length, at + 2);
  if (typeof value === 'string') out.write(value, at + 4, 'utf8');
  else if (typeof value === 'number') out.writeUInt32LE(value, at + 4);
  else if (typeof value === 'bigint') out.writeBigUInt64LE(value, at + 4);
  else out.set(value, at + 4);
  return at + 4 + padded(length);
}

function optionLength(value: Option[1]): number {
  if (typeof value === 'string') return Buffer.byteLength(value, 'utf8');
  if (typeof value === 'number') return 4;
  return typeof value === 'bigint' ? 8 : value.length;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** The upper half comes first, whatever the byte order (section 4.3). */
function writeTimestamp(out: Buffer, at: number, timestamp: bigint): void {
  out.writeUInt32LE(Number(timestamp >> 32n), at);
  out.writeUInt32LE(Number(timestamp & 0xffff_ffffn), at + 4);
}

/** Writes one capture file, in chunks, to a descriptor that it owns from then on. */
export class PcapngWriter {
  private readonly chunk = Buffer.alloc(CHUNK);
  private used = 0;
  private now = ZERO;
  private readonly counts: { frames: number; dropped: number }[];
  private closed = false;

  /**
   * @param descriptor open for writing, at the beginning of an empty file
   * @param start the time of day at virtual time 0, in nanoseconds since 1970-01-01T00:00:00Z
   * @param interfaces in the order of their indices
   */
  constructor(
    private readonly descriptor: number,
    private readonly start: bigint,
    interfaces: readonly CaptureInterface[],
  ) {
    invariant(start >= 0n && start <= NEVER, () => `a capture cannot start ${start}ns after 1970`);
    this.counts = interfaces.map(() => ({ frames: 0, dropped: 0 }));
    this.append(sectionHeader());
    for (const end of interfaces) this.append(interfaceDescription(end));
  }

  /**
   * @param at not before the instant of any earlier call
   * @throws OneclockError MACHINE where the file cannot be written, INTERNAL where time runs backward
   */
  write(at: Instant, frame: CapturedFrame): void {
    const counts = this.counts[frame.interface];
    invariant(
      counts !== undefined,
      () => `a capture has interfaces 0 … ${this.counts.length - 1}; found ${frame.interface}`,
    );
    this.advance(at);
    this.append(enhancedPacket(frame, this.start + at));
    counts.frames++;
    if (frame.dropped !== undefined) counts.dropped++;
  }

  /** Hands everything that was gathered to the kernel. @throws OneclockError MACHINE */
  flush(): void {
    const length = this.used;
    this.used = 0;
    writeFully(this.descriptor, this.chunk.subarray(0, length), WHAT);
  }

  /**
   * Ends the file with the counts of each interface and closes the descriptor, also when writing fails. Later calls
   * do nothing.
   *
   * @param at the end of the run, not before the instant of any earlier call
   * @throws OneclockError MACHINE where the file cannot be written
   */
  close(at: Instant): void {
    if (this.closed) return;
    try {
      this.advance(at);
      this.counts.forEach((counts, index) => {
        this.append(interfaceStatistics(index, counts, this.start + at));
      });
      this.flush();
    } finally {
      this.closed = true;
      closeSync(this.descriptor);
    }
  }

  private advance(at: Instant): void {
    invariant(!this.closed, () => `a call at ${at}ns to a capture that was closed at ${this.now}ns`);
    const from = this.now;
    invariant(at >= from, () => `time ran backward in a capture: ${at}ns came after ${from}ns`);
    this.now = at;
  }

  private append(bytes: Uint8Array): void {
    if (this.used + bytes.length > CHUNK) this.flush();
    if (bytes.length > CHUNK) {
      writeFully(this.descriptor, bytes, WHAT);
      return;
    }
    this.chunk.set(bytes, this.used);
    this.used += bytes.length;
  }
}
