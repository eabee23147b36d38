// SPDX-License-Identifier: MIT

/** The numbers of trace.proto. A unit test proves that they are those of the file. */

/** Header.version of the logs that are written now. */
export const FORMAT_VERSION = 2;
/** The oldest version that is read; what it says, the present one says in the same way. */
export const OLDEST_VERSION = 1;
/** Bytes in a record, without the size before it. */
export const MAX_RECORD = 1_048_576;
/** Bytes in a piece of console output, and in a text of an event. */
export const MAX_BYTES = 65_536;

/** Fields of Record. */
export const RecordField = {
  DELTA: 1,
  NODE: 2,
  HEADER: 3,
  END: 4,
  ACTIVATION: 5,
  FRAME_SENT: 6,
  FRAME_RECEIVED: 7,
  CONSOLE_OUTPUT: 8,
  NODE_STATE: 9,
  BROADCAST: 10,
  MARK: 11,
  FAULT: 12,
  CHANGE: 13,
  DRIVE: 14,
  LEVEL: 15,
  VARIABLE_CHANGED: 16,
  VARIABLE_STORED: 17,
  SLOT_ENTRY: 18,
  LINE_RAISED: 19,
  WARP_APPLIED: 20,
  DEADLINE_MISSED: 21,
  ACT: 22,
  SERIAL_DATA: 23,
} as const;

/** Fields of the messages that are encoded by hand: those of events. */
export const FrameField = { INTERFACE: 1, LENGTH: 2, CRC: 3, FATE: 4, TRAVEL: 5, DROPPED: 4 } as const;
export const ConsoleField = { DATA: 1 } as const;
export const StateField = { STATE: 1, VALUE: 2, TEXT: 3 } as const;
export const BroadcastField = { VALUE: 1 } as const;
export const TextField = { TEXT: 1 } as const;
export const ChangeField = {
  CABLE: 1,
  DOWN: 2,
  LATENCY: 3,
  RATE: 4,
  LOSS: 5,
  JITTER: 6,
  QUEUE: 7,
  LOST: 8,
} as const;

export const DriveField = { LINE: 1, DRIVE: 2 } as const;
export const LevelField = { HIGH: 1 } as const;
export const VariableChangedField = { SHARED: 1, VALUE: 2, TICKS: 3 } as const;
export const VariableStoredField = { SHARED: 1, VALUE: 2, ORIGIN: 3, SEQUENCE: 4 } as const;
export const SlotEntryField = { SPAN: 1, WARP: 2 } as const;
export const WarpField = { SEQUENCE: 1, ABSENT: 2, TICKS: 3, PENDING: 4 } as const;
export const PendingField = { LINE: 1, COUNT: 2 } as const;
export const LineRaisedField = { LINE: 1, KEPT: 2 } as const;
export const WarpAppliedField = { SEQUENCE: 1 } as const;
export const DeadlineMissedField = { TASK: 1, LATE: 2 } as const;
export const SerialDataField = { LINE: 1, INPUT: 2, DATA: 3 } as const;

/** Fields of Header, and of the messages in it. */
export const HeaderField = {
  VERSION: 1,
  TOPOLOGY: 2,
  SEED: 3,
  START: 4,
  NODES: 5,
  LINKS: 6,
  SWITCHES: 7,
  WIRES: 8,
  SHARED: 9,
} as const;
export const NodeField = { NAME: 1, KIND: 2, INTERFACES: 3, LINES: 4 } as const;
export const LinkField = { NAME: 1, ENDS: 2 } as const;
export const SwitchField = { NAME: 1, PORTS: 2 } as const;
export const WireField = { NAME: 1, PINS: 2 } as const;
export const SharedField = { NAME: 1, VARIABLE: 2, BETWEEN: 3, METHOD: 4 } as const;
export const EndField = { REASON: 1, VIRTUAL_NS: 2, EVENTS: 3, ACTIVATIONS: 4 } as const;

/** The enum Fate, in its order from 0 on. */
export const FATES = ['delivered', 'queue-full', 'lost', 'unconnected', 'link-down'] as const;
/** The enum Driven, in its order from 0 on. */
export const DRIVES = ['released', 'low', 'high'] as const;
/** The enum State, in its order from 1 on. */
export const STATES = [
  'running',
  'ready',
  'exited',
  'signalled',
  'failed',
  'killed',
  'evicted',
  'crashed',
  'hung',
] as const;
