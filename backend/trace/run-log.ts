// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import {
  encodeEnd,
  encodeEvent,
  encodeHeader,
  type FrameFate,
  type LogEnd,
  type LoggedChange,
  type LoggedDrive,
  type LoggedState,
  type LoggedWarp,
  type LogHeader,
  MAX_BYTES,
  ProtoWriter,
  type TraceEvent,
} from '../../protocols/trace/index.js';
import { Heap } from '../calendar/heap.js';
import { type Instant, later, NEVER, ZERO } from '../calendar/index.js';
import { invariant } from '../errors.js';
import { writeFully } from './write-fully.js';

/** Bytes that are gathered before they are written. */
const CHUNK = 65_536;
const ACTIVATION: TraceEvent = Object.freeze({ kind: 'activation' });

/** An event that waits until nothing can come before it. */
interface Pending {
  readonly at: Instant;
  readonly event: TraceEvent;
  next: Pending | undefined;
}

/** The pending events of one node, by time; those of one time in the order in which they were told. */
interface Lane {
  readonly node: number;
  head: Pending | undefined;
  tail: Pending | undefined;
}

/**
 * Writes the run log (trace.proto): what happened in a run, in an order that is the same whenever the run is.
 *
 * **Order.** Domains run their windows at once or one after the other, so calls for different nodes come in any
 * order. Events are therefore held back until {@link flush} says that nothing earlier can come, and are written in
 * the order (time, node, order of the calls for that node). What one node does is in order by itself (rules T1 and
 * T2), so this is total, and does not depend on which domain ran first.
 *
 * **Nodes** are meant wherever a method says `node`: the node's index; from the number of nodes on, a switch; the number
 * of both together, {@link run}, is the run itself; and behind that come the wires.
 *
 * **Failure.** What was gathered is handed to the kernel at the end of a record, so that the log of a process that
 * was killed ends with a whole one.
 */
export class RunLog {
  /** The `node` of events that belong to the run as a whole. */
  readonly run: number;
  private readonly lanes: readonly Lane[];
  /** Lanes that hold something, by their first event. */
  private ready = new Heap<Lane>(comesBefore);
  private readonly out = new ProtoWriter(CHUNK + CHUNK / 4);
  private readonly hash = createHash('sha256');
  /** The time of the last record that was encoded. */
  private written = ZERO;
  private closed = false;
  private digest = '';

  /**
   * @param descriptor open for writing, at the beginning of an empty file, and the log's own from then on;
   *   undefined: nothing is written, but the hash is that of what would have been
   * @throws OneclockError INPUT where the topology is too large for a log
   */
  constructor(
    private readonly descriptor: number | undefined,
    header: LogHeader,
  ) {
    this.run = header.nodes.length + header.switches.length;
    this.lanes = Array.from({ length: this.run + 1 + header.wires.length }, (_, node) => ({
      node,
      head: undefined,
      tail: undefined,
    }));
    encodeHeader(this.out, header);
    // At once: the log of a run that is killed early is a log.
    try {
      this.writeOut();
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw error;
    }
  }

  /** The `node` of the events of a wire, whose index is `index`. */
  wire(index: number): number {
    return this.run + 1 + index;
  }

  /** A participant runs from `at` on. */
  activation(at: Instant, node: number): void {
    this.add(at, node, ACTIVATION);
  }

  /**
   * A frame was given to a cable.
   *
   * @param place the index of the interface, or of the switch's port
   * @param length bytes
   * @param crc the CRC-32 of the frame's bytes
   * @param arrives when it is at the other end of the cable, if it is delivered
   */
  frameSent(
    at: Instant,
    node: number,
    place: number,
    length: number,
    crc: number,
    fate: FrameFate,
    arrives: Instant | undefined,
  ): void {
    const travel = fate === 'delivered' && arrives !== undefined ? arrives - at : 0n;
    this.add(at, node, { kind: 'frame-sent', interface: place, length, crc, fate, travel });
  }

  /** A frame came out of a cable; `dropped`: the guest had no room for it. */
  frameReceived(
    at: Instant,
    node: number,
    place: number,
    length: number,
    crc: number,
    dropped: boolean,
  ): void {
    this.add(at, node, { kind: 'frame-received', interface: place, length, crc, dropped });
  }

  /** The guest wrote to its console. The bytes are copied. */
  consoleOutput(at: Instant, node: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += MAX_BYTES) {
      // Not slice(): that of a Buffer copies nothing.
      const data = new Uint8Array(bytes.subarray(from, from + MAX_BYTES));
      this.add(at, node, { kind: 'console-output', data });
    }
  }

  nodeState(at: Instant, node: number, state: LoggedState): void {
    const bounded = state.state === 'failed' ? { state: state.state, text: cut(state.text) } : state;
    this.add(at, node, { kind: 'node-state', state: bounded });
  }

  /** A broadcast of the time-travel protocol. */
  broadcast(at: Instant, node: number, value: bigint): void {
    this.add(at, node, { kind: 'broadcast', value });
  }

  /** A remark; what is longer than MAX_BYTES is cut. */
  mark(at: Instant, node: number, text: string): void {
    this.add(at, node, { kind: 'mark', text: cut(text) });
  }

  /** A script, or a person, does something to the node, or to the {@link run}; a text that is too long is cut. */
  act(at: Instant, node: number, text: string): void {
    this.add(at, node, { kind: 'act', text: cut(text) });
  }

  /** Bytes on a serial line of the node; `input`: the node receives them. They may be changed afterwards. */
  serialData(at: Instant, node: number, line: string, input: boolean, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += MAX_BYTES) {
      const data = new Uint8Array(bytes.subarray(from, from + MAX_BYTES));
      this.add(at, node, { kind: 'serial-data', line, input, data });
    }
  }

  /** A link, a port of the switch `node`, or the wire `node` is another one; a link is the business of {@link run}. */
  change(at: Instant, node: number, change: LoggedChange): void {
    this.add(at, node, { ...change, kind: 'change' });
  }

  /** The guest drives a line, or drives it no more. */
  drive(at: Instant, node: number, line: number, drive: LoggedDrive): void {
    this.add(at, node, { kind: 'drive', line, drive });
  }

  /** The wire `node` has another level. */
  level(at: Instant, node: number, high: boolean): void {
    this.add(at, node, { kind: 'level', high });
  }

  /** The guest has changed a variable that it shares. @param shared its place in the header */
  variableChanged(at: Instant, node: number, shared: number, value: bigint, ticks: bigint): void {
    this.add(at, node, { kind: 'variable-changed', shared, value, ticks });
  }

  /**
   * An update was stored in the guest.
   *
   * @param origin the node that made the change
   * @param sequence its place in the order of the variable's updates, or 0
   */
  variableStored(
    at: Instant,
    node: number,
    shared: number,
    value: bigint,
    origin: number,
    sequence: number,
  ): void {
    this.add(at, node, { kind: 'variable-stored', shared, value, origin, sequence });
  }

  /** A partition has the processor for `span` nanoseconds; `warp` is what it is told that it has missed. */
  slotEntry(at: Instant, node: number, span: bigint, warp: LoggedWarp | undefined): void {
    this.add(at, node, { kind: 'slot-entry', span, warp });
  }

  /** A line of a partition is raised; `kept`: for its next warp. */
  lineRaised(at: Instant, node: number, line: number, kept: boolean): void {
    this.add(at, node, { kind: 'line-raised', line, kept });
  }

  warpApplied(at: Instant, node: number, sequence: bigint): void {
    this.add(at, node, { kind: 'warp-applied', sequence });
  }

  /** A deadline of a partition has passed, `late` nanoseconds ago. */
  deadlineMissed(at: Instant, node: number, task: bigint, late: bigint): void {
    this.add(at, node, { kind: 'deadline-missed', task, late });
  }

  /** Something went wrong; a text that is longer than MAX_BYTES is cut. */
  fault(at: Instant, node: number, text: string): void {
    this.add(at, node, { kind: 'fault', text: cut(text) });
  }

  /**
   * Writes what happened before `safe`; called at each barrier of the calendar.
   *
   * @param safe everything before it has happened, in all domains
   * @throws OneclockError MACHINE where the log cannot be written
   */
  flush(safe: Instant): void {
    this.writeBefore(safe);
  }

  /**
   * Hands what was written to the kernel, however little it is; called a few times a second, so that the log of a run
   * that is killed ends shortly before. It changes no byte.
   *
   * @throws OneclockError MACHINE where the log cannot be written
   */
  sync(): void {
    if (!this.closed && this.out.length > 0) this.writeOut();
  }

  /**
   * Writes what is left up to `end`, and the end, and closes the descriptor, also when writing fails. Events after
   * the end are dropped: another domain may have run ahead in the last window. Later calls of any method are
   * without effect, since what guests do while they are taken down is no part of the run.
   *
   * @returns the hash over all bytes of the log: `sha256:…`
   * @throws OneclockError MACHINE where the log cannot be written
   */
  close(end: LogEnd): string {
    if (this.closed) return this.digest;
    this.closed = true;
    try {
      const at = end.virtualNs >= NEVER ? NEVER : (end.virtualNs as Instant);
      this.writeBefore(at + 1n);
      encodeEnd(this.out, later(at, this.written) - this.written, { ...end, reason: cut(end.reason) });
      this.writeOut();
    } finally {
      if (this.descriptor !== undefined) closeSync(this.descriptor);
    }
    this.digest = `sha256:${this.hash.digest('hex')}`;
    return this.digest;
  }

  private add(at: Instant, node: number, event: TraceEvent): void {
    if (this.closed) return;
    const lane = this.lanes[node];
    invariant(lane !== undefined, () => `a run log has nodes 0 … ${this.lanes.length - 1}; found ${node}`);
    invariant(
      at >= this.written,
      () => `an event at ${at}ns came to the run log when all before ${this.written}ns was written`,
    );
    const pending: Pending = { at, event, next: undefined };
    const { tail } = lane;
    if (tail === undefined) {
      lane.head = lane.tail = pending;
      this.ready.push(lane);
    } else if (at >= tail.at) {
      lane.tail = tail.next = pending;
    } else {
      this.insert(lane, pending);
    }
  }

  /**
   * Puts an event before later ones of its node. That happens when a run is cut short: a node that had run ahead
   * gets its last state at the time of the run's end.
   */
  private insert(lane: Lane, pending: Pending): void {
    let before: Pending | undefined;
    let behind = lane.head;
    while (behind !== undefined && behind.at <= pending.at) [before, behind] = [behind, behind.next];
    pending.next = behind;
    if (before !== undefined) {
      before.next = pending;
      return;
    }
    lane.head = pending;
    this.ready = new Heap<Lane>(comesBefore);
    for (const each of this.lanes) if (each.head !== undefined) this.ready.push(each);
  }

  private writeBefore(limit: bigint): void {
    for (;;) {
      const lane = this.ready.peek();
      if (lane?.head === undefined || lane.head.at >= limit) return;
      this.ready.pop();
      const rival = this.ready.peek();
      do this.writeFirst(lane);
      while (
        lane.head !== undefined &&
        lane.head.at < limit &&
        (rival === undefined || comesBefore(lane, rival))
      );
      if (lane.head !== undefined) this.ready.push(lane);
    }
  }

  private writeFirst(lane: Lane): void {
    const { at, event, next } = lane.head as Pending;
    lane.head = next;
    if (next === undefined) lane.tail = undefined;
    encodeEvent(this.out, at - this.written, lane.node, event);
    this.written = at;
    if (this.out.length >= CHUNK) this.writeOut();
  }

  /** Hands everything that was gathered to the hash and the kernel. */
  private writeOut(): void {
    const bytes = this.out.buffer.subarray(0, this.out.length);
    this.out.length = 0;
    this.hash.update(bytes);
    if (this.descriptor !== undefined) writeFully(this.descriptor, bytes, 'the run log');
  }
}

function comesBefore(a: Lane, b: Lane): boolean {
  const first = (a.head as Pending).at;
  const second = (b.head as Pending).at;
  return first < second || (first === second && a.node < b.node);
}

/** `text`, within MAX_BYTES. */
function cut(text: string): string {
  if (text.length <= MAX_BYTES / 4) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_BYTES) return text;
  let end = MAX_BYTES;
  // Not within a character: its bytes after the first are 10xxxxxx.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
