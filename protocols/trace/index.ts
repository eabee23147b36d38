// SPDX-License-Identifier: MIT

// decoder.js is left out on purpose: it loads protobufjs, which whoever writes a log does not need.
export { FORMAT_VERSION, MAX_BYTES, MAX_RECORD } from './constants.js';
export { encodeEnd, encodeEvent, encodeHeader } from './encoder.js';
export { ProtoWriter } from './proto-writer.js';
export type {
  FrameFate,
  LogEnd,
  LoggedChange,
  LoggedDrive,
  LoggedLink,
  LoggedNode,
  LoggedShared,
  LoggedState,
  LoggedSwitch,
  LoggedWarp,
  LoggedWire,
  LogHeader,
  TraceEvent,
  TraceRecord,
} from './record.js';
