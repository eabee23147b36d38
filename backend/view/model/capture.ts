// SPDX-License-Identifier: MIT
import { Uints } from './lists.js';
import { joined, Times } from './times.js';

// Block types of pcapng: draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const IF_NAME = 2;
const EPB_FLAGS = 2;
const OUTBOUND = 2;
/** Bytes of a block: more is no capture of ours. */
const MAX_BLOCK = 1_048_576;

interface End {
  readonly times: Times;
  readonly offsets: Uints;
  readonly lengths: Uints;
  readonly outbound: Uints;
}

/** The frames of a capture that oneclock wrote, found by interface and time. */
export class Capture {
  /** What is wrong with it, behind the frames that could be read. */
  damage: string | undefined;
  private bytes = new Uint8Array();
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  private readonly ends: End[] = [];
  private readonly byName = new Map<string, End>();

  /** @param start the time of day at virtual time 0; nanoseconds since 1970 */
  constructor(private readonly start: bigint) {}

  get size(): number {
    return this.bytes.length;
  }

  /** Takes the next bytes of the file. */
  append(chunk: Uint8Array): void {
    const all = new Uint8Array(this.bytes.length + chunk.length);
    all.set(this.bytes);
    all.set(chunk, this.bytes.length);
    this.bytes = all;
    this.view = new DataView(all.buffer);
    while (this.damage === undefined && this.readBlock());
  }

  /** The bytes of a frame of the interface `name` (`a.eth0`) at virtual time `at`, with the CRC-32 `crc`. */
  find(name: string, at: bigint, outbound: boolean, crc: number): Uint8Array | undefined {
    const end = this.byName.get(name);
    if (end === undefined) return undefined;
    const { times, offsets, lengths } = end;
    for (let index = times.firstFrom(at); index < times.length && times.at(index) === at; index++) {
      if ((end.outbound.at(index) !== 0) !== outbound) continue;
      const from = offsets.at(index);
      const bytes = this.bytes.subarray(from, from + lengths.at(index));
      if (crc32(bytes) === crc) return bytes;
    }
    return undefined;
  }

  private readBlock(): boolean {
    const { view, at } = this;
    const left = this.bytes.length - at;
    if (left < 12) return false;
    const type = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (size < 12 || size > MAX_BLOCK || size % 4 !== 0) {
      this.damage = `a block of ${size} bytes at byte ${at}`;
      return false;
    }
    if (left < size) return false;
    try {
      if (type === SECTION_HEADER) {
        if (view.getUint32(at + 8, true) !== BYTE_ORDER_MAGIC) throw new Error('another byte order');
      } else if (type === INTERFACE_DESCRIPTION) this.addInterface(at, at + size - 4);
      else if (type === ENHANCED_PACKET) this.addPacket(at, at + size - 4);
    } catch (error) {
      this.damage = `${(error as Error).message} at byte ${at}`;
      return false;
    }
    this.at += size;
    return true;
  }

  private addInterface(at: number, to: number): void {
    const end = { times: new Times(), offsets: new Uints(), lengths: new Uints(), outbound: new Uints() };
    this.ends.push(end);
    this.options(at + 16, to, (code, from, length) => {
      if (code === IF_NAME)
        this.byName.set(new TextDecoder().decode(this.bytes.subarray(from, from + length)), end);
    });
  }

  private addPacket(at: number, to: number): void {
    const { view } = this;
    const end = this.ends[view.getUint32(at + 8, true)];
    const length = view.getUint32(at + 20, true);
    if (end === undefined) throw new Error('a frame of an unknown interface');
    if (at + 28 + length > to) throw new Error('a frame that is larger than its block');
    const time = joined(view.getUint32(at + 12, true), view.getUint32(at + 16, true)) - this.start;
    if (time < 0n) throw new Error('a frame from before the run');
    let flags = 0;
    this.options(at + 28 + ((length + 3) & ~3), to, (code, from, size) => {
      if (code === EPB_FLAGS && size === 4) flags = view.getUint32(from, true);
    });
    end.times.push(Number(time >> 32n), Number(time & 0xffff_ffffn));
    end.offsets.push(at + 28);
    end.lengths.push(length);
    end.outbound.push((flags & 3) === OUTBOUND ? 1 : 0);
  }

  private options(
    from: number,
    to: number,
    tell: (code: number, from: number, length: number) => void,
  ): void {
    for (let at = from; at + 4 <= to; ) {
      const code = this.view.getUint16(at, true);
      const length = this.view.getUint16(at + 2, true);
      if (code === 0) return;
      if (at + 4 + length > to) throw new Error('an option that is larger than its block');
      tell(code, at + 4, length);
      at += 4 + ((length + 3) & ~3);
    }
  }
}

const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The CRC-32 of zlib and IEEE 802.3. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
