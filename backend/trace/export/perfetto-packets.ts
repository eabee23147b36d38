// SPDX-License-Identifier: MIT
import {
  AnnotationField,
  ClockField,
  ClockId,
  CounterField,
  EventField,
  EventType,
  InternedField,
  NameField,
  PacketField,
  ProcessField,
  SequenceFlag,
  SnapshotField,
  ThreadField,
  TraceField,
  TrackField,
} from '../../../protocols/perfetto/constants.js';
import { ProtoWriter } from '../../../protocols/trace/index.js';
import type { EventFields } from './event-fields.js';

const CAPACITY = 131_072;
/** Who tells everything. */
const SEQUENCE = 1;
const MAX_INT64 = (1n << 63n) - 1n;

/** The number of a track. */
export type Track = number;

/** What an event has besides its time and track. */
export interface EventParts {
  /** One of a few; undefined: none, or that of `text`. */
  readonly name?: string;
  /** A name that is like no other. */
  readonly text?: string;
  readonly fields?: EventFields;
  /** Arrows that begin here. */
  readonly flows?: readonly bigint[];
  /** One that ends here. */
  readonly ends?: bigint | undefined;
}

/** Writes packets of a trace of Perfetto. Names of events and of their fields are told once. */
export class PerfettoPackets {
  readonly #out = new ProtoWriter(CAPACITY);
  readonly #eventNames = new Map<string, number>();
  readonly #fieldNames = new Map<string, number>();
  #tracks = 0;

  /** @param start the time of day at virtual time 0, in nanoseconds since 1970 */
  constructor(start: bigint) {
    const packet = this.#open(0n, SequenceFlag.CLEARED);
    const snapshot = this.#out.openField(PacketField.CLOCK_SNAPSHOT);
    this.#clock(ClockId.BOOTTIME, 0n);
    this.#clock(ClockId.REALTIME, start);
    this.#out.close(snapshot);
    this.#out.close(packet);
  }

  get size(): number {
    return this.#out.length;
  }

  take(): Uint8Array {
    const bytes = this.#out.buffer.subarray(0, this.#out.length);
    this.#out.length = 0;
    return bytes;
  }

  /** What belongs together in the picture, with the line of what it does by itself. */
  process(pid: number, name: string, activity: string): { readonly group: Track; readonly activity: Track } {
    const group = this.#describe((out) => {
      const process = out.openField(TrackField.PROCESS);
      out.uint32(ProcessField.PID, pid);
      out.text(ProcessField.PROCESS_NAME, name);
      out.close(process);
    });
    const thread = this.#describe((out) => {
      out.uint32(TrackField.PARENT_UUID, group);
      const process = out.openField(TrackField.THREAD);
      out.uint32(ThreadField.PID, pid);
      out.uint32(ThreadField.TID, pid);
      out.text(ThreadField.THREAD_NAME, activity);
      out.close(process);
    });
    return { group, activity: thread };
  }

  /** A line in a group. */
  track(group: Track, name: string): Track {
    return this.#describe((out) => {
      out.text(TrackField.NAME, name);
      out.uint32(TrackField.PARENT_UUID, group);
    });
  }

  /** A curve in a group. */
  counter(group: Track, name: string, unit = ''): Track {
    return this.#describe((out) => {
      out.text(TrackField.NAME, name);
      out.uint32(TrackField.PARENT_UUID, group);
      const counter = out.openField(TrackField.COUNTER);
      out.text(CounterField.UNIT_NAME, unit);
      out.close(counter);
    });
  }

  instant(at: bigint, track: Track, parts: EventParts): void {
    this.#event(at, track, EventType.INSTANT, parts);
  }

  begin(at: bigint, track: Track, parts: EventParts): void {
    this.#event(at, track, EventType.SLICE_BEGIN, parts);
  }

  /** Ends what began last on the track and has not ended. */
  end(at: bigint, track: Track): void {
    this.#event(at, track, EventType.SLICE_END, {});
  }

  /** A curve has a value from now on. A bigint is exact up to 2^63-1. */
  count(at: bigint, track: Track, value: bigint | number): void {
    const out = this.#out;
    const packet = this.#open(at, SequenceFlag.NEEDS_STATE);
    const event = out.openField(PacketField.TRACK_EVENT);
    out.uint32(EventField.TYPE, EventType.COUNTER);
    out.uint32(EventField.TRACK_UUID, track);
    if (typeof value === 'bigint' && value <= MAX_INT64) out.anyUint64(EventField.COUNTER_VALUE, value);
    else out.double(EventField.DOUBLE_COUNTER_VALUE, Number(value));
    out.close(event);
    out.close(packet);
  }

  #event(at: bigint, track: Track, type: number, { name, text, fields, flows, ends }: EventParts): void {
    const out = this.#out;
    const nameId = name === undefined ? 0 : this.#intern(InternedField.EVENT_NAMES, this.#eventNames, name);
    const entries = fields === undefined ? [] : Object.entries(fields);
    const ids = entries.map(([key]) =>
      this.#intern(InternedField.DEBUG_ANNOTATION_NAMES, this.#fieldNames, key),
    );
    const packet = this.#open(at, SequenceFlag.NEEDS_STATE);
    const event = out.openField(PacketField.TRACK_EVENT);
    for (const [place, [, value]] of entries.entries()) this.#annotate(ids[place] as number, value);
    out.uint32(EventField.TYPE, type);
    out.uint32(EventField.NAME_IID, nameId);
    out.uint32(EventField.TRACK_UUID, track);
    if (text !== undefined) out.text(EventField.NAME, text);
    if (flows !== undefined) for (const flow of flows) out.fixed64(EventField.FLOW_IDS, flow);
    if (ends !== undefined) out.fixed64(EventField.TERMINATING_FLOW_IDS, ends);
    out.close(event);
    out.close(packet);
  }

  #annotate(nameId: number, value: EventFields[string]): void {
    const out = this.#out;
    const annotation = out.openField(EventField.DEBUG_ANNOTATIONS);
    out.uint32(AnnotationField.NAME_IID, nameId);
    // What is 0 or false is said, too: in this format it is not the same as nothing.
    if (typeof value === 'boolean') out.anyUint64(AnnotationField.BOOL_VALUE, value ? 1n : 0n);
    else if (Number.isSafeInteger(value)) out.anyUint64(AnnotationField.UINT_VALUE, BigInt(value as number));
    else
      out.element(
        AnnotationField.STRING_VALUE,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      );
    out.close(annotation);
  }

  /** The number of a name, which is told where it is new. */
  #intern(field: number, numbers: Map<string, number>, name: string): number {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = numbers.size + 1;
    numbers.set(name, number);
    const out = this.#out;
    const packet = this.#open(0n, SequenceFlag.NEEDS_STATE);
    const data = out.openField(PacketField.INTERNED_DATA);
    const entry = out.openField(field);
    out.uint32(NameField.IID, number);
    out.text(NameField.NAME, name);
    out.close(entry);
    out.close(data);
    out.close(packet);
    return number;
  }

  #describe(write: (out: ProtoWriter) => void): Track {
    const out = this.#out;
    const track = ++this.#tracks;
    const packet = this.#open(0n, SequenceFlag.NEEDS_STATE);
    const descriptor = out.openField(PacketField.TRACK_DESCRIPTOR);
    out.uint32(TrackField.UUID, track);
    write(out);
    out.close(descriptor);
    out.close(packet);
    return track;
  }

  #clock(id: number, timestamp: bigint): void {
    const clock = this.#out.openField(SnapshotField.CLOCKS);
    this.#out.uint32(ClockField.CLOCK_ID, id);
    this.#out.anyUint64(ClockField.TIMESTAMP, timestamp);
    this.#out.close(clock);
  }

  #open(at: bigint, flag: number): number {
    const packet = this.#out.openField(TraceField.PACKET);
    this.#out.anyUint64(PacketField.TIMESTAMP, at);
    this.#out.uint32(PacketField.TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
    this.#out.uint32(PacketField.SEQUENCE_FLAGS, flag);
    return packet;
  }
}
