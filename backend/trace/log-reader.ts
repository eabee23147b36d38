// SPDX-License-Identifier: MIT
import { statSync } from 'node:fs';
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
import { unreadable } from './byte-file.js';
import { LOG_NAME } from './log-header.js';
import { type Damage, RecordFile } from './record-file.js';

/** What errors call the file. */
export const RUN_LOG = 'the run log';

/** An event of a run. */
export interface LoggedEvent {
  /** 0, 1, 2 … in the order of the log. */
  readonly index: number;
  readonly at: Instant;
  /** The index of a node; then of a switch; then the run itself; then of a wire: see trace.proto. */
  readonly node: number;
  readonly event: TraceEvent;
}

/** The file of the run log at `path`: a run directory or the log itself. @throws OneclockError INPUT */
export function findLog(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, LOG_NAME) : path;
  } catch (cause) {
    throw unreadable(path, RUN_LOG, cause);
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
  private readonly records: RecordFile;
  private at = ZERO;
  private index = 0;
  private closed = false;

  /**
   * @param path a run directory or a run log
   * @throws OneclockError INPUT where there is no log that begins with a header
   */
  constructor(path: string) {
    this.file = findLog(path);
    this.records = new RecordFile(this.file, RUN_LOG, MAX_RECORD);
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

  get damage(): Damage | undefined {
    return this.records.damage;
  }

  /**
   * The next event; undefined at the end or at the first damage, and ever after.
   *
   * @throws OneclockError INPUT where the file cannot be read any further
   */
  next(): LoggedEvent | undefined {
    if (this.end !== undefined || this.damage !== undefined || this.closed) return undefined;
    const record = this.readRecord();
    if (record === undefined) return undefined;
    if (record.what === 'header') return this.records.fail('expected an event or the end, found a header');
    const at = (this.at + record.delta) as Instant;
    if (at > NEVER) return this.records.fail(`expected a time up to ${NEVER}ns, found ${at}ns`);
    this.at = at;
    if (record.what === 'end') {
      this.end = record.end;
      return this.records.atEnd
        ? undefined
        : this.records.failBehind('expected the end of the file, found more');
    }
    const { node, event } = record;
    const fault = this.misfit(node, event);
    if (fault !== undefined) return this.records.fail(fault);
    return { index: this.index++, at, node, event };
  }

  *[Symbol.iterator](): Generator<LoggedEvent, void> {
    for (let event = this.next(); event !== undefined; event = this.next()) yield event;
  }

  /** Lets go of the file. Later calls do nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.records.close();
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
    const { records } = this;
    const bytes = records.next();
    if (bytes === undefined) {
      return records.damage ? undefined : records.fail('expected a record, found the end of the file');
    }
    try {
      return decodeRecord(bytes);
    } catch (error) {
      return records.fail(`a record of ${bytes.length} bytes cannot be decoded: ${text(error)}`);
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
