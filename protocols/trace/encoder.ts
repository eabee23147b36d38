// SPDX-License-Identifier: MIT
import { invariant, OneclockError } from '../../backend/errors.js';
import {
  BroadcastField,
  ChangeField,
  ConsoleField,
  DeadlineMissedField,
  DRIVES,
  DriveField,
  EndField,
  FATES,
  FORMAT_VERSION,
  FrameField,
  HeaderField,
  LevelField,
  LineRaisedField,
  LinkField,
  MAX_RECORD,
  NodeField,
  PendingField,
  RecordField,
  SerialDataField,
  SharedField,
  SlotEntryField,
  STATES,
  StateField,
  SwitchField,
  TextField,
  VariableChangedField,
  VariableStoredField,
  WarpAppliedField,
  WarpField,
  WireField,
} from './constants.js';
import type { ProtoWriter } from './proto-writer.js';
import type { LogEnd, LoggedState, LoggedWarp, LogHeader, TraceEvent } from './record.js';

/** Events that are a text. */
const TEXT_RECORDS = { mark: RecordField.MARK, fault: RecordField.FAULT, act: RecordField.ACT } as const;

/** Appends the first record of a log. @throws OneclockError INPUT where the topology is too large for one */
export function encodeHeader(out: ProtoWriter, header: LogHeader): void {
  const record = out.open();
  const message = out.openField(RecordField.HEADER);
  out.uint32(HeaderField.VERSION, FORMAT_VERSION);
  out.text(HeaderField.TOPOLOGY, header.topology);
  out.uint64(HeaderField.SEED, header.seed);
  out.uint64(HeaderField.START, header.start);
  for (const { name, kind, interfaces, lines } of header.nodes) {
    const node = out.openField(HeaderField.NODES);
    out.text(NodeField.NAME, name);
    out.text(NodeField.KIND, kind);
    for (const each of interfaces) out.element(NodeField.INTERFACES, each);
    for (const each of lines) out.element(NodeField.LINES, each);
    out.close(node);
  }
  for (const { name, ends } of header.links) {
    const link = out.openField(HeaderField.LINKS);
    out.text(LinkField.NAME, name);
    for (const end of ends) out.element(LinkField.ENDS, end);
    out.close(link);
  }
  for (const { name, ports } of header.switches) {
    const each = out.openField(HeaderField.SWITCHES);
    out.text(SwitchField.NAME, name);
    for (const port of ports) out.element(SwitchField.PORTS, port);
    out.close(each);
  }
  for (const { name, pins } of header.wires) {
    const each = out.openField(HeaderField.WIRES);
    out.text(WireField.NAME, name);
    for (const pin of pins) out.element(WireField.PINS, pin);
    out.close(each);
  }
  for (const { name, variable, between, method } of header.shared) {
    const each = out.openField(HeaderField.SHARED);
    out.text(SharedField.NAME, name);
    out.uint32(SharedField.VARIABLE, variable);
    for (const node of between) out.element(SharedField.BETWEEN, node);
    out.text(SharedField.METHOD, method);
    out.close(each);
  }
  out.close(message);
  const size = out.close(record);
  if (size <= MAX_RECORD) return;
  throw new OneclockError(
    'INPUT',
    `the topology is too large: its names take ${size} bytes in the run log, which holds ${MAX_RECORD}; ` +
      'use fewer nodes or shorter names',
  );
}

/**
 * Appends an event. Its texts and bytes are within MAX_BYTES.
 *
 * @param delta nanoseconds since the record before
 */
export function encodeEvent(out: ProtoWriter, delta: bigint, node: number, event: TraceEvent): void {
  const record = out.open();
  out.uint64(RecordField.DELTA, delta);
  out.uint32(RecordField.NODE, node);
  encodeKind(out, event);
  closeRecord(out, record);
}

/** Appends the last record of a log. */
export function encodeEnd(out: ProtoWriter, delta: bigint, end: LogEnd): void {
  const record = out.open();
  out.uint64(RecordField.DELTA, delta);
  const message = out.openField(RecordField.END);
  out.text(EndField.REASON, end.reason);
  out.uint64(EndField.VIRTUAL_NS, end.virtualNs);
  out.uint64(EndField.EVENTS, BigInt(end.events));
  out.uint64(EndField.ACTIVATIONS, BigInt(end.activations));
  out.close(message);
  closeRecord(out, record);
}

function closeRecord(out: ProtoWriter, record: number): void {
  const size = out.close(record);
  invariant(size <= MAX_RECORD, () => `a record of a run log holds ${MAX_RECORD} bytes; found ${size}`);
}

function encodeKind(out: ProtoWriter, event: TraceEvent): void {
  switch (event.kind) {
    case 'activation':
      out.close(out.openField(RecordField.ACTIVATION));
      return;
    case 'frame-sent': {
      const message = out.openField(RecordField.FRAME_SENT);
      encodeFrame(out, event);
      out.uint32(FrameField.FATE, FATES.indexOf(event.fate));
      out.uint64(FrameField.TRAVEL, event.travel);
      out.close(message);
      return;
    }
    case 'frame-received': {
      const message = out.openField(RecordField.FRAME_RECEIVED);
      encodeFrame(out, event);
      out.uint32(FrameField.DROPPED, event.dropped ? 1 : 0);
      out.close(message);
      return;
    }
    case 'console-output': {
      const message = out.openField(RecordField.CONSOLE_OUTPUT);
      out.bytes(ConsoleField.DATA, event.data);
      out.close(message);
      return;
    }
    case 'node-state': {
      const message = out.openField(RecordField.NODE_STATE);
      encodeState(out, event.state);
      out.close(message);
      return;
    }
    case 'broadcast': {
      const message = out.openField(RecordField.BROADCAST);
      out.uint64(BroadcastField.VALUE, event.value);
      out.close(message);
      return;
    }
    case 'mark':
    case 'fault':
    case 'act': {
      const message = out.openField(TEXT_RECORDS[event.kind]);
      out.text(TextField.TEXT, event.text);
      out.close(message);
      return;
    }
    case 'change': {
      const message = out.openField(RecordField.CHANGE);
      out.uint32(ChangeField.CABLE, event.cable);
      out.uint32(ChangeField.DOWN, event.down ? 1 : 0);
      out.uint64(ChangeField.LATENCY, event.latency);
      out.uint64(ChangeField.RATE, event.rate);
      out.uint32(ChangeField.LOSS, event.loss);
      out.uint64(ChangeField.JITTER, event.jitter);
      out.uint32(ChangeField.QUEUE, event.queue);
      out.uint64(ChangeField.LOST, BigInt(event.lost));
      out.close(message);
      return;
    }
    case 'drive': {
      const message = out.openField(RecordField.DRIVE);
      out.uint32(DriveField.LINE, event.line);
      out.uint32(DriveField.DRIVE, DRIVES.indexOf(event.drive));
      out.close(message);
      return;
    }
    case 'level': {
      const message = out.openField(RecordField.LEVEL);
      out.uint32(LevelField.HIGH, event.high ? 1 : 0);
      out.close(message);
      return;
    }
    case 'variable-changed': {
      const message = out.openField(RecordField.VARIABLE_CHANGED);
      out.uint32(VariableChangedField.SHARED, event.shared);
      out.uint64(VariableChangedField.VALUE, event.value);
      out.uint64(VariableChangedField.TICKS, event.ticks);
      out.close(message);
      return;
    }
    case 'variable-stored': {
      const message = out.openField(RecordField.VARIABLE_STORED);
      out.uint32(VariableStoredField.SHARED, event.shared);
      out.uint64(VariableStoredField.VALUE, event.value);
      out.uint32(VariableStoredField.ORIGIN, event.origin);
      out.uint64(VariableStoredField.SEQUENCE, BigInt(event.sequence));
      out.close(message);
      return;
    }
    case 'slot-entry': {
      const message = out.openField(RecordField.SLOT_ENTRY);
      out.uint64(SlotEntryField.SPAN, event.span);
      if (event.warp) encodeWarp(out, event.warp);
      out.close(message);
      return;
    }
    case 'line-raised': {
      const message = out.openField(RecordField.LINE_RAISED);
      out.uint32(LineRaisedField.LINE, event.line);
      out.uint32(LineRaisedField.KEPT, event.kept ? 1 : 0);
      out.close(message);
      return;
    }
    case 'warp-applied': {
      const message = out.openField(RecordField.WARP_APPLIED);
      out.uint64(WarpAppliedField.SEQUENCE, event.sequence);
      out.close(message);
      return;
    }
    case 'deadline-missed': {
      const message = out.openField(RecordField.DEADLINE_MISSED);
      out.uint64(DeadlineMissedField.TASK, event.task);
      out.uint64(DeadlineMissedField.LATE, event.late);
      out.close(message);
      return;
    }
    case 'serial-data': {
      const message = out.openField(RecordField.SERIAL_DATA);
      out.text(SerialDataField.LINE, event.line);
      out.uint32(SerialDataField.INPUT, event.input ? 1 : 0);
      out.bytes(SerialDataField.DATA, event.data);
      out.close(message);
      return;
    }
    default:
      invariant(false, () => `an event of kind ${event.kind} is never written`);
  }
}

function encodeFrame(
  out: ProtoWriter,
  frame: { readonly interface: number; readonly length: number; readonly crc: number },
): void {
  out.uint32(FrameField.INTERFACE, frame.interface);
  out.uint32(FrameField.LENGTH, frame.length);
  out.fixed32(FrameField.CRC, frame.crc);
}

function encodeWarp(out: ProtoWriter, { sequence, absent, ticks, pending }: LoggedWarp): void {
  const message = out.openField(SlotEntryField.WARP);
  out.uint64(WarpField.SEQUENCE, sequence);
  out.uint64(WarpField.ABSENT, absent);
  out.uint64(WarpField.TICKS, ticks);
  for (const { line, count } of pending) {
    const each = out.openField(WarpField.PENDING);
    out.uint32(PendingField.LINE, line);
    out.uint32(PendingField.COUNT, count);
    out.close(each);
  }
  out.close(message);
}

function encodeState(out: ProtoWriter, state: LoggedState): void {
  out.uint32(StateField.STATE, STATES.indexOf(state.state) + 1);
  if (state.state === 'exited') out.uint32(StateField.VALUE, state.code);
  else if (state.state === 'signalled') out.uint32(StateField.VALUE, state.signal);
  else if (state.state === 'failed') out.text(StateField.TEXT, state.text);
}
