// SPDX-License-Identifier: MIT
import {
  ChangeField,
  DRIVES,
  DriveField,
  FATES,
  FrameField,
  LevelField,
  MAX_RECORD,
  RecordField,
  SerialDataField,
  SlotEntryField,
  STATES,
  StateField,
  VariableChangedField,
} from '../../../protocols/trace/constants.js';
import type { LogEnd, LogHeader, TraceEvent } from '../../../protocols/trace/record.js';
import { decodeEnd, decodeEvent, decodeHeader } from './decode.js';
import { Uints } from './lists.js';
import { ProtoReader, Wire } from './proto-reader.js';
import { Times } from './times.js';

/** Bytes of a varint that can hold a size up to MAX_RECORD. */
const MAX_SIZE_BYTES = 3;
/** Bytes of a record as most are; only for how much room is made at first. */
const RECORD_BYTES = 12;
/** No instant is later: 2^63-1 ns. */
const MAX_HI = 0x7fff_ffff;
/** Kinds are numbers of fields of Record; this one stands for all that are not known. */
export const UNKNOWN_KIND = 255;
const IS_KNOWN = new Uint8Array(256);
for (const field of Object.values(RecordField)) IS_KNOWN[field] = 1;

/** Where a log stops to make sense. */
export interface Damage {
  readonly offset: number;
  readonly reason: string;
}

/** The record that is being read: what an index needs of it without decoding it again. */
export interface RecordParts {
  node: number;
  kind: number;
  /** Interface, cable, line or shared variable, whichever the kind has. */
  place: number;
  length: number;
  crc: number;
  /** Of a frame, its fate, or whether it was dropped; of a change, down; a level; what a line is driven to; a state. */
  flag: number;
  /** Of a frame, how long it travels; of a slot, how long it lasts. */
  spanHi: number;
  spanLo: number;
}

/**
 * A run log in columns: what the page needs of each event to draw it, 17 bytes for one; the rest stays in the bytes of the
 * log, and is decoded for the events that are looked at. Any bytes may come: those before the first damage are kept.
 */
export class EventLog {
  header: LogHeader | undefined;
  end: LogEnd | undefined;
  damage: Damage | undefined;
  /** When each event happened. */
  readonly times: Times;
  /** Whose it is: see Record.node of trace.proto. */
  readonly nodes: Uints;
  readonly kinds: Uints;
  /** Where the record's size begins. */
  private readonly offsets: Uints;
  private bytes: Uint8Array;
  private used = 0;
  private at = 0;
  private nowHi = 0;
  private nowLo = 0;
  private complete = false;
  private readonly reader = new ProtoReader(new Uint8Array());
  private readonly parts: RecordParts = {
    node: 0,
    kind: 0,
    place: 0,
    length: 0,
    crc: 0,
    flag: 0,
    spanHi: 0,
    spanLo: 0,
  };

  /** @param expected how many bytes will come, as far as it is known */
  constructor(expected = 0) {
    this.bytes = new Uint8Array(Math.max(expected, 65_536));
    const room = Math.ceil(expected / RECORD_BYTES);
    this.times = new Times(room);
    this.nodes = new Uints(room);
    this.kinds = new Uints(room);
    this.offsets = new Uints(room);
  }

  /** How many events there are. */
  get length(): number {
    return this.times.length;
  }

  /** Bytes that have come. */
  get size(): number {
    return this.used;
  }

  /** Bytes that were read. */
  get read(): number {
    return this.at;
  }

  /** The virtual time that the log has come to. */
  get now(): bigint {
    return (BigInt(this.nowHi) << 32n) | BigInt(this.nowLo);
  }

  /** Takes the next bytes of the log; they are read by {@link advance}. */
  append(chunk: Uint8Array): void {
    if (this.used + chunk.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + chunk.length));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.used);
    this.used += chunk.length;
  }

  /** No more bytes come: what is there in part is damage from now on. */
  finish(): void {
    this.complete = true;
  }

  /**
   * Reads on.
   *
   * @param tell is given each event, with parts that hold until it returns
   * @param most how many records to read
   * @returns whether there is more to be read of what has come
   */
  advance(tell: (index: number, parts: RecordParts) => void, most: number): boolean {
    const { reader } = this;
    reader.bytes = this.bytes;
    for (let count = 0; count < most; count++) {
      if (this.damage !== undefined) return false;
      if (this.end !== undefined) {
        if (this.at < this.used) this.fail(this.at, 'expected the end of the file, found more');
        return false;
      }
      const record = this.at;
      const body = this.findRecord(record);
      if (body === undefined) return false;
      try {
        this.readRecord(record, body, tell);
      } catch (error) {
        const size = this.at - body;
        this.fail(record, `a record of ${size} bytes cannot be decoded: found ${(error as Error).message}`);
        return false;
      }
    }
    return true;
  }

  /** An event in full. */
  event(index: number): TraceEvent {
    const { bytes } = this;
    const size = new ProtoReader(bytes, this.offsets.at(index), this.used);
    const end = size.sized();
    return decodeEvent(bytes, size.at, end, this.kinds.at(index));
  }

  /** The place behind the size of the record at `record`, and {@link at} behind the record; undefined: not yet there. */
  private findRecord(record: number): number | undefined {
    const { bytes, used } = this;
    let size = 0;
    let at = record;
    for (let byte = 0; ; byte++) {
      if (byte === MAX_SIZE_BYTES) return this.fail(record, `expected a size up to ${MAX_RECORD}`);
      if (at === used) return this.short(record, byte === 0 ? '' : 'a part of one and ');
      const value = bytes[at++] as number;
      size |= (value & 0x7f) << (7 * byte);
      if (value < 0x80) break;
    }
    if (size > MAX_RECORD)
      return this.fail(record, `expected a size up to ${MAX_RECORD}, found one of ${size}`);
    if (size > used - at) {
      if (!this.complete) return undefined;
      return this.fail(
        record,
        `expected a record of ${size} bytes, found ${used - at} bytes and the end of the file`,
      );
    }
    this.at = at + size;
    return at;
  }

  private short(record: number, found: string): undefined {
    if (this.complete) this.fail(record, `expected a record, found ${found}the end of the file`);
    return undefined;
  }

  private fail(offset: number, reason: string): undefined {
    this.damage = { offset, reason };
    return undefined;
  }

  private readRecord(record: number, body: number, tell: (index: number, parts: RecordParts) => void): void {
    const { reader, parts, at: end } = this;
    if (this.header === undefined) {
      this.header = decodeHeader(this.bytes, body, end);
      return;
    }
    reader.at = body;
    reader.end = end;
    let deltaHi = 0;
    let deltaLo = 0;
    parts.node = 0;
    parts.kind = UNKNOWN_KIND;
    parts.place = 0;
    parts.flag = 0;
    while (reader.at < end) {
      reader.tag();
      if (reader.wire === Wire.VARINT) {
        const { field } = reader;
        reader.varint();
        if (field === RecordField.DELTA) {
          deltaHi = reader.hi;
          deltaLo = reader.lo;
        } else if (field === RecordField.NODE) parts.node = reader.lo;
      } else if (reader.wire === Wire.BYTES) {
        if (IS_KNOWN[reader.field] === 1) parts.kind = reader.field;
        this.readParts(reader.field);
      } else reader.skip();
    }
    if (parts.kind === RecordField.HEADER)
      return void this.fail(record, 'expected an event or the end, found a header');
    let lo = this.nowLo + deltaLo;
    let hi = this.nowHi + deltaHi;
    if (lo > 0xffff_ffff) {
      lo -= 0x1_0000_0000;
      hi++;
    }
    if (hi > MAX_HI)
      return void this.fail(record, 'expected a time up to 9223372036854775807ns, found a later one');
    this.nowHi = hi;
    this.nowLo = lo;
    if (parts.kind === RecordField.END) {
      this.end = decodeEnd(this.bytes, body, end);
      return;
    }
    const fault = this.misfit(parts, this.header);
    if (fault !== undefined) return void this.fail(record, fault);
    this.times.push(hi, lo);
    this.nodes.push(parts.node);
    this.kinds.push(parts.kind);
    this.offsets.push(record);
    tell(this.length - 1, parts);
  }

  /** Reads the message of a field of Record, as far as {@link RecordParts} has room for it. */
  private readParts(kind: number): void {
    const { reader, parts } = this;
    const outer = reader.end;
    const end = reader.sized();
    reader.end = end;
    if (kind === RecordField.FRAME_SENT || kind === RecordField.FRAME_RECEIVED) {
      parts.length = 0;
      parts.crc = 0;
      parts.spanHi = 0;
      parts.spanLo = 0;
    } else if (kind === RecordField.SLOT_ENTRY) {
      parts.spanHi = 0;
      parts.spanLo = 0;
    }
    while (reader.at < end) {
      reader.tag();
      const { field } = reader;
      if (reader.wire === Wire.VARINT) {
        const value = reader.varint();
        switch (kind) {
          case RecordField.FRAME_SENT:
          case RecordField.FRAME_RECEIVED:
            if (field === FrameField.INTERFACE) parts.place = value;
            else if (field === FrameField.LENGTH) parts.length = value;
            else if (field === FrameField.FATE) parts.flag = value;
            else if (field === FrameField.TRAVEL) this.takeSpan();
            break;
          case RecordField.NODE_STATE:
            if (field === StateField.STATE) parts.flag = value;
            break;
          case RecordField.CHANGE:
            if (field === ChangeField.CABLE) parts.place = value;
            else if (field === ChangeField.DOWN) parts.flag = value;
            break;
          case RecordField.DRIVE:
            if (field === DriveField.LINE) parts.place = value;
            else if (field === DriveField.DRIVE) parts.flag = value;
            break;
          case RecordField.SERIAL_DATA:
            if (field === SerialDataField.INPUT) parts.flag = value;
            break;
          case RecordField.LEVEL:
            if (field === LevelField.HIGH) parts.flag = value;
            break;
          case RecordField.VARIABLE_CHANGED:
          case RecordField.VARIABLE_STORED:
            if (field === VariableChangedField.SHARED) parts.place = value;
            break;
          case RecordField.SLOT_ENTRY:
            if (field === SlotEntryField.SPAN) this.takeSpan();
            break;
        }
      } else if (reader.wire === Wire.FIXED32) {
        const value = reader.fixed32();
        if (field === FrameField.CRC) parts.crc = value;
      } else reader.skip();
    }
    reader.at = end;
    reader.end = outer;
  }

  private takeSpan(): void {
    this.parts.spanHi = this.reader.hi;
    this.parts.spanLo = this.reader.lo;
  }

  /** Says what in an event does not go with the header, as LogReader does. */
  private misfit({ node, kind, place, flag }: RecordParts, header: LogHeader): string | undefined {
    const { nodes, switches, links, wires, shared } = header;
    const run = nodes.length + switches.length;
    const last = run + wires.length;
    if (node > last) return `expected a node from 0 to ${last}, found ${node}`;
    switch (kind) {
      case RecordField.CHANGE: {
        const { length } =
          node > run ? { length: 1 } : (switches[node - nodes.length]?.ports ?? (node === run ? links : []));
        if (place < length) return undefined;
        return `expected one of the ${length} cables of node ${node}, found ${place}`;
      }
      case RecordField.DRIVE: {
        if (flag >= DRIVES.length) return `expected a drive of a line, found number ${flag}`;
        const { length } = nodes[node]?.lines ?? [];
        if (place < length) return undefined;
        return `expected one of the ${length} lines of node ${node}, found ${place}`;
      }
      case RecordField.LEVEL:
        return node > run ? undefined : `expected the level of a wire, found one of node ${node}`;
      case RecordField.VARIABLE_CHANGED:
      case RecordField.VARIABLE_STORED:
        if (node < nodes.length && place < shared.length) return undefined;
        return `expected one of ${shared.length} shared variables at one of ${nodes.length} nodes, found ${place} at ${node}`;
      case RecordField.NODE_STATE:
        return flag >= 1 && flag <= STATES.length
          ? undefined
          : `expected a state of a node, found number ${flag}`;
      case RecordField.FRAME_SENT:
      case RecordField.FRAME_RECEIVED: {
        if (kind === RecordField.FRAME_SENT && flag >= FATES.length)
          return `expected a fate of a frame, found number ${flag}`;
        const { length } = nodes[node]?.interfaces ?? switches[node - nodes.length]?.ports ?? [];
        if (place < length) return undefined;
        return `expected one of the ${length} interfaces of node ${node}, found ${place}`;
      }
    }
    return undefined;
  }
}
