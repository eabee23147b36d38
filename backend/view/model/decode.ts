// SPDX-License-Identifier: MIT
import {
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
  NodeField,
  OLDEST_VERSION,
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
} from '../../../protocols/trace/constants.js';
import type {
  LogEnd,
  LoggedState,
  LoggedWarp,
  LogHeader,
  TraceEvent,
} from '../../../protocols/trace/record.js';
import { ProtoReader } from './proto-reader.js';

/** What the fields of a message are, by their numbers; those that are not named are skipped. */
type Fields = Readonly<Record<number, (reader: ProtoReader) => void>>;

function read(reader: ProtoReader, fields: Fields): void {
  reader.message(() => {
    const field = fields[reader.field];
    if (field === undefined) reader.skip();
    else field(reader);
  });
}

/** The message of the record in `from` … `to`-1 of the bytes that has the number `field`; undefined: there is none. */
function inRecord<T>(
  bytes: Uint8Array,
  from: number,
  to: number,
  field: number,
  decode: (reader: ProtoReader) => T,
): T | undefined {
  const reader = new ProtoReader(bytes, from, to);
  let found: T | undefined;
  while (!reader.done) {
    reader.tag();
    if (reader.field === field) found = decode(reader);
    else reader.skip();
  }
  return found;
}

/** @throws Error where the record holds no header, or one of another version */
export function decodeHeader(bytes: Uint8Array, from: number, to: number): LogHeader {
  const header = inRecord(bytes, from, to, RecordField.HEADER, readHeader);
  if (header === undefined) throw new Error('expected a header first, found another record');
  return header;
}

function readHeader(reader: ProtoReader): LogHeader {
  let version = 0;
  const header = {
    topology: '',
    seed: 0n,
    start: 0n,
    nodes: [] as { name: string; kind: string; interfaces: string[]; lines: string[] }[],
    links: [] as { name: string; ends: string[] }[],
    switches: [] as { name: string; ports: string[] }[],
    wires: [] as { name: string; pins: string[] }[],
    shared: [] as { name: string; variable: number; between: string[]; method: string }[],
  };
  const F = HeaderField;
  read(reader, {
    [F.VERSION]: () => {
      version = reader.varint();
    },
    [F.TOPOLOGY]: () => {
      header.topology = reader.text();
    },
    [F.SEED]: () => {
      header.seed = reader.wide();
    },
    [F.START]: () => {
      header.start = reader.wide();
    },
    [F.NODES]: () => {
      const node = { name: '', kind: '', interfaces: [] as string[], lines: [] as string[] };
      read(reader, {
        [NodeField.NAME]: () => {
          node.name = reader.text();
        },
        [NodeField.KIND]: () => {
          node.kind = reader.text();
        },
        [NodeField.INTERFACES]: () => void node.interfaces.push(reader.text()),
        [NodeField.LINES]: () => void node.lines.push(reader.text()),
      });
      header.nodes.push(node);
    },
    [F.LINKS]: () => {
      const [name, ends] = named(reader, LinkField.NAME, LinkField.ENDS);
      header.links.push({ name, ends });
    },
    [F.SWITCHES]: () => {
      const [name, ports] = named(reader, SwitchField.NAME, SwitchField.PORTS);
      header.switches.push({ name, ports });
    },
    [F.WIRES]: () => {
      const [name, pins] = named(reader, WireField.NAME, WireField.PINS);
      header.wires.push({ name, pins });
    },
    [F.SHARED]: () => {
      const shared = { name: '', variable: 0, between: [] as string[], method: '' };
      read(reader, {
        [SharedField.NAME]: () => {
          shared.name = reader.text();
        },
        [SharedField.VARIABLE]: () => {
          shared.variable = reader.varint();
        },
        [SharedField.BETWEEN]: () => void shared.between.push(reader.text()),
        [SharedField.METHOD]: () => {
          shared.method = reader.text();
        },
      });
      header.shared.push(shared);
    },
  });
  if (version < OLDEST_VERSION || version > FORMAT_VERSION) {
    throw new Error(
      `expected a log of format ${OLDEST_VERSION} to ${FORMAT_VERSION}, found format ${version}`,
    );
  }
  return header;
}

function named(reader: ProtoReader, nameField: number, listField: number): [string, string[]] {
  let name = '';
  const list: string[] = [];
  read(reader, {
    [nameField]: () => {
      name = reader.text();
    },
    [listField]: () => void list.push(reader.text()),
  });
  return [name, list];
}

/** @throws Error where the record holds no end */
export function decodeEnd(bytes: Uint8Array, from: number, to: number): LogEnd {
  const end = inRecord(bytes, from, to, RecordField.END, (reader) => {
    const found = numbers(reader, { reason: EndField.REASON }, EndField);
    return {
      reason: found.text,
      virtualNs: found.number(EndField.VIRTUAL_NS),
      events: Number(found.number(EndField.EVENTS)),
      activations: Number(found.number(EndField.ACTIVATIONS)),
    };
  });
  if (end === undefined) throw new Error('expected the end');
  return end;
}

/** The numbers of a message by their fields, and its one text. */
function numbers(
  reader: ProtoReader,
  texts: Readonly<Record<string, number>>,
  fields: Readonly<Record<string, number>>,
): { readonly text: string; number(field: number): bigint } {
  const values = new Map<number, bigint>();
  const textField = Object.values(texts)[0];
  const known = new Set(Object.values(fields));
  let text = '';
  reader.message(() => {
    const { field } = reader;
    if (field === textField) text = reader.text();
    else if (known.has(field) && reader.wire === 0) values.set(field, reader.wide());
    else if (known.has(field) && reader.wire === 5) values.set(field, BigInt(reader.fixed32()));
    else reader.skip();
  });
  return { text, number: (field) => values.get(field) ?? 0n };
}

const NO_TEXT = {};

/**
 * The event of the record in `from` … `to`-1 of the bytes, in full.
 *
 * @param kind the number of the field of Record that holds it
 */
export function decodeEvent(bytes: Uint8Array, from: number, to: number, kind: number): TraceEvent {
  const decode = DECODERS[kind];
  const event = decode && inRecord(bytes, from, to, kind, decode);
  return event ?? { kind: 'unknown' };
}

const R = RecordField;

const DECODERS: Readonly<Record<number, (reader: ProtoReader) => TraceEvent>> = {
  [R.ACTIVATION]: (reader) => {
    reader.data();
    return { kind: 'activation' };
  },
  [R.FRAME_SENT]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, FrameField);
    return {
      kind: 'frame-sent',
      ...frame(number),
      fate: FATES[Number(number(FrameField.FATE))] ?? 'lost',
      travel: number(FrameField.TRAVEL),
    };
  },
  [R.FRAME_RECEIVED]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, FrameField);
    return { kind: 'frame-received', ...frame(number), dropped: number(FrameField.DROPPED) !== 0n };
  },
  [R.CONSOLE_OUTPUT]: (reader) => {
    let data = new Uint8Array();
    read(reader, {
      [ConsoleField.DATA]: () => {
        data = Uint8Array.from(reader.data());
      },
    });
    return { kind: 'console-output', data };
  },
  [R.NODE_STATE]: (reader) => {
    const { number, text } = numbers(reader, { text: StateField.TEXT }, StateField);
    return {
      kind: 'node-state',
      state: state(Number(number(StateField.STATE)), Number(number(StateField.VALUE)), text),
    };
  },
  [R.BROADCAST]: (reader) => ({ kind: 'broadcast', value: numbers(reader, NO_TEXT, { value: 1 }).number(1) }),
  [R.MARK]: (reader) => ({ kind: 'mark', text: textOf(reader) }),
  [R.ACT]: (reader) => ({ kind: 'act', text: textOf(reader) }),
  [R.FAULT]: (reader) => ({ kind: 'fault', text: textOf(reader) }),
  [R.CHANGE]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, ChangeField);
    return {
      kind: 'change',
      cable: Number(number(ChangeField.CABLE)),
      down: number(ChangeField.DOWN) !== 0n,
      latency: number(ChangeField.LATENCY),
      rate: number(ChangeField.RATE),
      loss: Number(number(ChangeField.LOSS)),
      jitter: number(ChangeField.JITTER),
      queue: Number(number(ChangeField.QUEUE)),
      lost: Number(number(ChangeField.LOST)),
    };
  },
  [R.DRIVE]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, DriveField);
    return {
      kind: 'drive',
      line: Number(number(DriveField.LINE)),
      drive: DRIVES[Number(number(DriveField.DRIVE))] ?? 'released',
    };
  },
  [R.LEVEL]: (reader) => ({
    kind: 'level',
    high: numbers(reader, NO_TEXT, LevelField).number(LevelField.HIGH) !== 0n,
  }),
  [R.VARIABLE_CHANGED]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, VariableChangedField);
    const F = VariableChangedField;
    return {
      kind: 'variable-changed',
      shared: Number(number(F.SHARED)),
      value: number(F.VALUE),
      ticks: number(F.TICKS),
    };
  },
  [R.VARIABLE_STORED]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, VariableStoredField);
    const F = VariableStoredField;
    return {
      kind: 'variable-stored',
      shared: Number(number(F.SHARED)),
      value: number(F.VALUE),
      origin: Number(number(F.ORIGIN)),
      sequence: Number(number(F.SEQUENCE)),
    };
  },
  [R.SLOT_ENTRY]: (reader) => {
    let span = 0n;
    let told: LoggedWarp | undefined;
    read(reader, {
      [SlotEntryField.SPAN]: () => {
        span = reader.wide();
      },
      [SlotEntryField.WARP]: () => {
        told = warp(reader);
      },
    });
    return { kind: 'slot-entry', span, warp: told };
  },
  [R.LINE_RAISED]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, LineRaisedField);
    return {
      kind: 'line-raised',
      line: Number(number(LineRaisedField.LINE)),
      kept: number(LineRaisedField.KEPT) !== 0n,
    };
  },
  [R.SERIAL_DATA]: (reader) => {
    let line = '';
    let input = false;
    let data = new Uint8Array();
    read(reader, {
      [SerialDataField.LINE]: () => {
        line = reader.text();
      },
      [SerialDataField.INPUT]: () => {
        input = reader.varint() !== 0;
      },
      [SerialDataField.DATA]: () => {
        data = Uint8Array.from(reader.data());
      },
    });
    return { kind: 'serial-data', line, input, data };
  },
  [R.WARP_APPLIED]: (reader) => ({
    kind: 'warp-applied',
    sequence: numbers(reader, NO_TEXT, WarpAppliedField).number(WarpAppliedField.SEQUENCE),
  }),
  [R.DEADLINE_MISSED]: (reader) => {
    const { number } = numbers(reader, NO_TEXT, DeadlineMissedField);
    return {
      kind: 'deadline-missed',
      task: number(DeadlineMissedField.TASK),
      late: number(DeadlineMissedField.LATE),
    };
  },
};

function frame(number: (field: number) => bigint): { interface: number; length: number; crc: number } {
  return {
    interface: Number(number(FrameField.INTERFACE)),
    length: Number(number(FrameField.LENGTH)),
    crc: Number(number(FrameField.CRC)),
  };
}

function textOf(reader: ProtoReader): string {
  return numbers(reader, { text: TextField.TEXT }, {}).text;
}

function warp(reader: ProtoReader): LoggedWarp {
  const pending: { line: number; count: number }[] = [];
  const values = new Map<number, bigint>();
  reader.message(() => {
    if (reader.field === WarpField.PENDING) {
      const { number } = numbers(reader, NO_TEXT, PendingField);
      pending.push({
        line: Number(number(PendingField.LINE)),
        count: Number(number(PendingField.COUNT)),
      });
    } else if (reader.wire === 0) values.set(reader.field, reader.wide());
    else reader.skip();
  });
  const number = (field: number) => values.get(field) ?? 0n;
  return {
    sequence: number(WarpField.SEQUENCE),
    absent: number(WarpField.ABSENT),
    ticks: number(WarpField.TICKS),
    pending,
  };
}

function state(number: number, value: number, text: string): LoggedState {
  const name = STATES[number - 1] ?? 'running';
  switch (name) {
    case 'exited':
      return { state: name, code: value };
    case 'signalled':
      return { state: name, signal: value };
    case 'failed':
      return { state: name, text };
    default:
      return { state: name };
  }
}
