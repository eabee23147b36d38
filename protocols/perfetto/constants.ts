// SPDX-License-Identifier: MIT

/** The numbers of perfetto.proto. A unit test proves that they are those of the file. */

export const TraceField = { PACKET: 1 } as const;
export const PacketField = {
  TIMESTAMP: 8,
  CLOCK_SNAPSHOT: 6,
  TRUSTED_PACKET_SEQUENCE_ID: 10,
  TRACK_EVENT: 11,
  INTERNED_DATA: 12,
  SEQUENCE_FLAGS: 13,
  TRACK_DESCRIPTOR: 60,
} as const;
export const SnapshotField = { CLOCKS: 1 } as const;
export const ClockField = { CLOCK_ID: 1, TIMESTAMP: 2 } as const;
export const InternedField = { EVENT_NAMES: 2, DEBUG_ANNOTATION_NAMES: 3 } as const;
export const NameField = { IID: 1, NAME: 2 } as const;
export const TrackField = { UUID: 1, NAME: 2, PROCESS: 3, THREAD: 4, PARENT_UUID: 5, COUNTER: 8 } as const;
export const ProcessField = { PID: 1, PROCESS_NAME: 6 } as const;
export const ThreadField = { PID: 1, TID: 2, THREAD_NAME: 5 } as const;
export const CounterField = { UNIT_NAME: 6 } as const;
export const EventField = {
  DEBUG_ANNOTATIONS: 4,
  TYPE: 9,
  NAME_IID: 10,
  TRACK_UUID: 11,
  NAME: 23,
  COUNTER_VALUE: 30,
  DOUBLE_COUNTER_VALUE: 44,
  FLOW_IDS: 47,
  TERMINATING_FLOW_IDS: 48,
} as const;
export const AnnotationField = { NAME_IID: 1, BOOL_VALUE: 2, UINT_VALUE: 3, STRING_VALUE: 6 } as const;

/** TrackEvent.type. */
export const EventType = { SLICE_BEGIN: 1, SLICE_END: 2, INSTANT: 3, COUNTER: 4 } as const;
/** TracePacket.sequence_flags. */
export const SequenceFlag = { CLEARED: 1, NEEDS_STATE: 2 } as const;
/** Clock.clock_id. */
export const ClockId = { REALTIME: 1, BOOTTIME: 6 } as const;
