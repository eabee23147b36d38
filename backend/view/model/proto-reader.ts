// SPDX-License-Identifier: MIT

/** How a field is encoded. */
export const Wire = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

const utf8 = new TextDecoder();

/**
 * Reads protobuf from bytes that may hold anything: it throws where they end too early. The page has a reader of its own
 * because that of protobufjs makes functions from text, which a page that forbids all code but its own cannot do, and
 * because a million records have to be read in less than a second.
 */
export class ProtoReader {
  /** The number that was read last. */
  lo = 0;
  hi = 0;
  /** Of the field whose {@link tag} was read last. */
  field = 0;
  wire = 0;

  constructor(
    public bytes: Uint8Array,
    public at = 0,
    public end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Reads a varint into {@link lo} and {@link hi}; bits above 64 are dropped. @returns the lower 32 bits */
  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) {
      this.hi = 0;
      this.lo = byte;
      return byte;
    }
    let lo = byte & 0x7f;
    let hi = 0;
    for (let shift = 7; ; shift += 7) {
      if (shift > 63) throw new Error('a number of more than 10 bytes');
      byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 0x80) break;
    }
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    return this.lo;
  }

  wide(): bigint {
    this.varint();
    return this.hi === 0 ? BigInt(this.lo) : (BigInt(this.hi) << 32n) | BigInt(this.lo);
  }

  fixed32(): number {
    const { bytes, at } = this;
    this.need(4);
    this.at += 4;
    return (
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      0
    );
  }

  /** Reads the size of what follows. @returns where it ends */
  sized(): number {
    const size = this.varint();
    if (this.hi !== 0 || size > this.end - this.at) throw new Error('a field that is larger than its record');
    return this.at + size;
  }

  /** The bytes of a field, not copied. */
  data(): Uint8Array {
    const end = this.sized();
    const data = this.bytes.subarray(this.at, end);
    this.at = end;
    return data;
  }

  text(): string {
    return utf8.decode(this.data());
  }

  /** Calls `read` for each field of a message that is a field; `read` takes the field, or skips it. */
  message(read: () => void): void {
    const outer = this.end;
    this.end = this.sized();
    while (!this.done) {
      this.tag();
      read();
    }
    this.end = outer;
  }

  /** Reads which field comes next. */
  tag(): void {
    const tag = this.varint();
    this.field = tag >>> 3;
    this.wire = tag & 7;
    if (this.field === 0) throw new Error('a field with number 0');
  }

  /** Goes past the field whose tag was read. */
  skip(): void {
    switch (this.wire) {
      case Wire.VARINT:
        this.varint();
        break;
      case Wire.FIXED64:
        this.need(8);
        this.at += 8;
        break;
      case Wire.BYTES:
        this.at = this.sized();
        break;
      case Wire.FIXED32:
        this.need(4);
        this.at += 4;
        break;
      default:
        throw new Error(`wire type ${this.wire}`);
    }
  }

  private byte(): number {
    if (this.at >= this.end) throw new Error('a record that ends within a field');
    return this.bytes[this.at++] as number;
  }

  private need(bytes: number): void {
    if (this.end - this.at < bytes) throw new Error('a record that ends within a field');
  }
}
