// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { DRIVES, FATES, FORMAT_VERSION, OLDEST_VERSION, STATES } from './constants.js';
import type { LogEnd, LoggedState, LoggedWarp, LogHeader, TraceEvent, TraceRecord } from './record.js';
import { traceSchema } from './schema.js';

/** A uint64, as protobufjs gives it. */
interface Wide {
  readonly low: number;
  readonly high: number;
}

interface WireFrame {
  readonly interface: number;
  readonly length: number;
  readonly crc: number;
}

interface WireWarp {
  readonly sequence: Wide;
  readonly absent: Wide;
  readonly ticks: Wide;
  readonly pending: readonly { line: number; count: number }[];
}

/** A decoded Record of trace.proto; the member that `what` names is there. */
interface Wire {
  readonly delta: Wide;
  readonly node: number;
  readonly what?: string;
  readonly header: Omit<LogHeader, 'seed' | 'start'> & { version: number; seed: Wide; start: Wide };
  readonly end: { reason: string; virtualNs: Wide; events: Wide; activations: Wide };
  readonly frameSent: WireFrame & { fate: number; travel: Wide };
  readonly frameReceived: WireFrame & { dropped: boolean };
  readonly consoleOutput: { data: Uint8Array };
  readonly nodeState: { state: number; value: number; text: string };
  readonly broadcast: { value: Wide };
  readonly mark: { text: string };
  readonly fault: { text: string };
  readonly change: {
    cable: number;
    down: boolean;
    latency: Wide;
    rate: Wide;
    loss: number;
    jitter: Wide;
    queue: number;
    lost: Wide;
  };
  readonly drive: { line: number; drive: number };
  readonly level: { high: boolean };
  readonly variableChanged: { shared: number; value: Wide; ticks: Wide };
  readonly variableStored: { shared: number; value: Wide; origin: number; sequence: Wide };
  readonly slotEntry: { span: Wide; warp: WireWarp | null };
  readonly lineRaised: { line: number; kept: boolean };
  readonly warpApplied: { sequence: Wide };
  readonly deadlineMissed: { task: Wide; late: Wide };
  readonly act: { text: string };
  readonly serialData: { line: string; input: boolean; data: Uint8Array };
}

const recordType = protobuf.Root.fromJSON(traceSchema).lookupType('oneclock.trace.Record');

/**
 * Reads the bytes of a record, without the size before it.
 *
 * @returns the record, which shares no memory with `bytes`
 * @throws Error that says what is wrong with the bytes
 */
export function decodeRecord(bytes: Uint8Array): TraceRecord {
  const wire = recordType.decode(bytes) as unknown as Wire;
  if (wire.what === 'header') return { what: 'header', header: header(wire.header) };
  const delta = wide(wire.delta);
  if (wire.what === 'end') return { what: 'end', delta, end: end(wire.end) };
  return { what: 'event', delta, node: wire.node, event: event(wire) };
}

function header(wire: Wire['header']): LogHeader {
  if (wire.version < OLDEST_VERSION || wire.version > FORMAT_VERSION) {
    const known = `${OLDEST_VERSION} to ${FORMAT_VERSION}`;
    throw new Error(`expected a log of format ${known}, found format ${wire.version}`);
  }
  return {
    topology: wire.topology,
    seed: wide(wire.seed),
    start: wide(wire.start),
    nodes: wire.nodes.map(({ name, kind, interfaces, lines }) => ({ name, kind, interfaces, lines })),
    links: wire.links.map(({ name, ends }) => ({ name, ends })),
    switches: wire.switches.map(({ name, ports }) => ({ name, ports })),
    wires: wire.wires.map(({ name, pins }) => ({ name, pins })),
    shared: wire.shared.map(({ name, variable, between, method }) => ({ name, variable, between, method })),
  };
}

function end(wire: Wire['end']): LogEnd {
  return {
    reason: wire.reason,
    virtualNs: wide(wire.virtualNs),
    events: count(wire.events),
    activations: count(wire.activations),
  };
}

function event(wire: Wire): TraceEvent {
  switch (wire.what) {
    case 'activation':
      return { kind: 'activation' };
    case 'frameSent': {
      const { interface: place, length, crc, fate, travel } = wire.frameSent;
      return {
        kind: 'frame-sent',
        interface: place,
        length,
        crc,
        fate: known(FATES[fate], 'fate of a frame', fate),
        travel: wide(travel),
      };
    }
    case 'frameReceived': {
      const { interface: place, length, crc, dropped } = wire.frameReceived;
      return { kind: 'frame-received', interface: place, length, crc, dropped };
    }
    case 'consoleOutput':
      return { kind: 'console-output', data: Uint8Array.from(wire.consoleOutput.data) };
    case 'nodeState':
      return { kind: 'node-state', state: state(wire.nodeState) };
    case 'broadcast':
      return { kind: 'broadcast', value: wide(wire.broadcast.value) };
    case 'mark':
      return { kind: 'mark', text: wire.mark.text };
    case 'fault':
      return { kind: 'fault', text: wire.fault.text };
    case 'act':
      return { kind: 'act', text: wire.act.text };
    case 'serialData': {
      const { line, input, data } = wire.serialData;
      return { kind: 'serial-data', line, input, data: Uint8Array.from(data) };
    }
    case 'change': {
      const { cable, down, latency, rate, loss, jitter, queue, lost } = wire.change;
      return {
        kind: 'change',
        cable,
        down,
        latency: wide(latency),
        rate: wide(rate),
        loss,
        jitter: wide(jitter),
        queue,
        lost: count(lost),
      };
    }
    case 'drive': {
      const { line, drive } = wire.drive;
      return { kind: 'drive', line, drive: known(DRIVES[drive], 'drive of a line', drive) };
    }
    case 'level':
      return { kind: 'level', high: wire.level.high };
    case 'variableChanged': {
      const { shared, value, ticks } = wire.variableChanged;
      return { kind: 'variable-changed', shared, value: wide(value), ticks: wide(ticks) };
    }
    case 'variableStored': {
      const { shared, value, origin, sequence } = wire.variableStored;
      return { kind: 'variable-stored', shared, value: wide(value), origin, sequence: count(sequence) };
    }
    case 'slotEntry': {
      const { span, warp: told } = wire.slotEntry;
      return { kind: 'slot-entry', span: wide(span), warp: told === null ? undefined : warp(told) };
    }
    case 'lineRaised':
      return { kind: 'line-raised', line: wire.lineRaised.line, kept: wire.lineRaised.kept };
    case 'warpApplied':
      return { kind: 'warp-applied', sequence: wide(wire.warpApplied.sequence) };
    case 'deadlineMissed':
      return {
        kind: 'deadline-missed',
        task: wide(wire.deadlineMissed.task),
        late: wide(wire.deadlineMissed.late),
      };
    default:
      return { kind: 'unknown' };
  }
}

function warp({ sequence, absent, ticks, pending }: WireWarp): LoggedWarp {
  return {
    sequence: wide(sequence),
    absent: wide(absent),
    ticks: wide(ticks),
    pending: pending.map(({ line, count }) => ({ line, count })),
  };
}

function state(wire: Wire['nodeState']): LoggedState {
  const name = known(STATES[wire.state - 1], 'state of a node', wire.state);
  switch (name) {
    case 'exited':
      return { state: name, code: wire.value };
    case 'signalled':
      return { state: name, signal: wire.value };
    case 'failed':
      return { state: name, text: wire.text };
    default:
      return { state: name };
  }
}

function known<T>(value: T | undefined, what: string, number: number): T {
  if (value === undefined) throw new Error(`expected a ${what}, found number ${number}`);
  return value;
}

function count(value: Wide): number {
  const number = Number(wide(value));
  if (!Number.isSafeInteger(number)) throw new Error(`expected a count below 2^53, found ${number}`);
  return number;
}

function wide({ low, high }: Wide): bigint {
  const small = BigInt(low >>> 0);
  return high === 0 ? small : (BigInt(high >>> 0) << 32n) | small;
}
