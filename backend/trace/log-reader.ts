// SPDX-License-Identifier: MIT
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord } from '../../protocols/trace/decoder.js';
import {
  type LogEnd,
  type LogHeader,
  MAX_RECORD,
  type TraceEvent,
  type TraceRecord,
} from '../../protocols/trace/index.js';
import { type Instant, NEVER, ZERO } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import { LOG_NAME } from './log-header.js';

/** Bytes that are read at once. */
const CHUNK = 65_536;
/** Bytes of a varint that can hold a size up to MAX_RECORD. */
const MAX_SIZE_BYTES = 3;

/** An event of a run. */
export interface LoggedEvent {
  /** 0, 1, 2 … in the order of the log. */
  readonly index: number;
  readonly at: Instant;
  /** The index of a node; then of a switch; then the run itself; then of a wire: see trace.proto. */
  readonly node: number;
  readonly event: TraceEvent;
}

/** Where a log stops to make sense. */
export interface LogDamage {
  /** Of the first byte of the record that could not be read. */
  readonly offset: number;
  /** What was expected and what was found. */
  readonly reason: string;
}

/** The file of the run log at `path`: a run directory or the log itself. @throws OneclockError INPUT */
export function findLog(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, LOG_NAME) : path;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Reads a run log from its beginning to its end, or to the first damage, with memory for one record. Any bytes may
 * be in the file: a log that was cut short or is corrupt gives the events before the damage, and then the damage.
 *
 * When {@link next} has given everything, `end` or `damage` is there; both, where something follows the end.
 */
export class LogReader {
  readonly file: string;
  readonly header: LogHeader;
  end: LogEnd | undefined;
  damage: LogDamage | undefined;
  private readonly descriptor: number;
  private buffer = Buffer.allocUnsafe(2 * CHUNK);
  /** What was read and not used is in `from` … `to`-1 of the buffer. */
  private from = 0;
  private to = 0;
  /** In the file, of the byte at `from`. */
  private offset = 0;
  private at = ZERO;
  private index = 0;
  private closed = false;

  /**
   * @param path a run directory or a run log
   * @throws OneclockError INPUT where there is no log that begins with a header
   */
  constructor(path: string) {
    this.file = findLog(path);
    this.descriptor = openRegular(this.file);
    try {
      const first = this.readRecord();
      if (first === undefined) throw new Error(this.damage?.reason);
      if (first.what !== 'header') throw new Error(`expected a header first, found an ${first.what}`);
      this.header = first.header;
    } catch (cause) {
      this.close();
      if (cause instanceof OneclockError) throw cause;
      throw new OneclockError('INPUT', `${this.file} is not a run log: ${text(cause)}`, { cause });
    }
  }

  /**
   * The next event; undefined at the end or at the first damage, and ever after.
   *
   * @throws OneclockError INPUT where the file cannot be read any further
   */
  next(): LoggedEvent | undefined {
    if (this.end !== undefined || this.damage !== undefined || this.closed) return undefined;
    const offset = this.offset;
    const record = this.readRecord();
    if (record === undefined) return undefined;
    if (record.what === 'header') return this.fail(offset, 'expected an event or the end, found a header');
    const at = (this.at + record.delta) as Instant;
    if (at > NEVER) return this.fail(offset, `expected a time up to ${NEVER}ns, found ${at}ns`);
    this.at = at;
    if (record.what === 'end') {
      this.end = record.end;
      return this.fill(1) ? this.fail(this.offset, 'expected the end of the file, found more') : undefined;
    }
    const { node, event } = record;
    const fault = this.misfit(node, event);
    if (fault !== undefined) return this.fail(offset, fault);
    return { index: this.index++, at, node, event };
  }

  *[Symbol.iterator](): Generator<LoggedEvent, void> {
    for (let event = this.next(); event !== undefined; event = this.next()) yield event;
  }

  /** Lets go of the file. Later calls do nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }

  /** Says what in an event does not go with the header. */
  private misfit(node: number, event: TraceEvent): string | undefined {
    const { nodes, switches, links, wires } = this.header;
    const run = nodes.length + switches.length;
    const last = run + wires.length;
    if (node > last) return `expected a node from 0 to ${last}, found ${node}`;
    if (event.kind === 'change') {
      const length =
        node > run ? 1 : (switches[node - nodes.length]?.ports ?? (node === run ? links : [])).length;
      if (event.cable < length) return undefined;
      return `expected one of the ${length} cables of node ${node}, found ${event.cable}`;
    }
    if (event.kind === 'drive') {
      const { length } = nodes[node]?.lines ?? [];
      return event.line < length
        ? undefined
        : `expected one of the ${length} lines of node ${node}, found ${event.line}`;
    }
    if (event.kind === 'level')
      return node > run ? undefined : `expected the level of a wire, found one of node ${node}`;
    const shared = 'shared' in event ? event.shared : undefined;
    if (shared !== undefined) {
      const { length } = this.header.shared;
      return node < nodes.length && shared < length
        ? undefined
        : `expected one of ${length} shared variables at one of ${nodes.length} nodes, found ${shared} at ${node}`;
    }
    if (event.kind !== 'frame-sent' && event.kind !== 'frame-received') return undefined;
    const places = nodes[node]?.interfaces ?? switches[node - nodes.length]?.ports ?? [];
    if (event.interface < places.length) return undefined;
    return `expected one of the ${places.length} interfaces of node ${node}, found ${event.interface}`;
  }

  /** The next record; undefined where there is none, and then the damage says why. */
  private readRecord(): TraceRecord | undefined {
    const offset = this.offset;
    let size = 0;
    for (let byte = 0; ; byte++) {
      if (byte === MAX_SIZE_BYTES) return this.fail(offset, `expected a size up to ${MAX_RECORD}`);
      if (!this.fill(byte + 1)) {
        const found = byte === 0 ? 'the end of the file' : 'a part of one and the end of the file';
        return this.fail(offset, `expected a record, found ${found}`);
      }
      const value = this.buffer[this.from + byte] as number;
      size |= (value & 0x7f) << (7 * byte);
      if (value < 0x80) {
        this.consume(byte + 1);
        break;
      }
    }
    if (size > MAX_RECORD)
      return this.fail(offset, `expected a size up to ${MAX_RECORD}, found one of ${size}`);
    if (!this.fill(size)) {
      const found = `${this.to - this.from} bytes and the end of the file`;
      return this.fail(offset, `expected a record of ${size} bytes, found ${found}`);
    }
    let record: TraceRecord;
    try {
      record = decodeRecord(this.buffer.subarray(this.from, this.from + size));
    } catch (error) {
      return this.fail(offset, `a record of ${size} bytes cannot be decoded: ${text(error)}`);
    }
    this.consume(size);
    return record;
  }

  private fail(offset: number, reason: string): undefined {
    this.damage = { offset, reason };
  }

  private consume(bytes: number): void {
    this.from += bytes;
    this.offset += bytes;
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
      const read = readInto(this.file, this.descriptor, this.buffer, this.to);
      if (read === 0) return false;
      this.to += read;
    }
    return true;
  }
}

/** Opens a regular file: a pipe or a device could make us wait for ever. @throws OneclockError INPUT */
export function openRegular(file: string): number {
  let descriptor: number;
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file');
    descriptor = openSync(file, 'r');
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw unreadable(file, new Error('it is not a file'));
}

/** Reads what fits behind `at`. @returns how many bytes, 0 at the end @throws OneclockError INPUT */
export function readInto(file: string, descriptor: number, buffer: Buffer, at: number): number {
  try {
    return readSync(descriptor, buffer, at, buffer.length - at, null);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): OneclockError {
  return new OneclockError(
    'INPUT',
    `the run log ${file} cannot be read (${text(cause)}): give a run directory, or the file ${LOG_NAME} of one`,
    { cause },
  );
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
