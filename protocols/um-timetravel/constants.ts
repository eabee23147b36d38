// SPDX-License-Identifier: MIT

/**
 * The `time-travel=ext:` protocol of User-Mode Linux: include/uapi/linux/um_timetravel.h of Linux 6.12. "Client"
 * is a guest or a device simulator, "controller" is this side.
 */

/** Operations: `enum um_timetravel_ops`. */
export const Op = {
  /** Answers any message; carries its sequence number. (either to either) */
  ACK: 0,
  /** Opens the connection; time is an identity of the client's choice. (client to controller) */
  START: 1,
  /** Asks to run at time; a later request replaces it. (client to controller) */
  REQUEST: 2,
  /** The client is quiet until RUN. (client to controller) */
  WAIT: 3,
  /** Asks for the current time, which the ACK carries. (client to controller) */
  GET: 4,
  /** The client has come to time and will touch others at it. (client to controller) */
  UPDATE: 5,
  /** The client runs, at time. (controller to client) */
  RUN: 6,
  /** The client may run by itself before time. (controller to client) */
  FREE_UNTIL: 7,
  /** Asks for the time of day in nanoseconds, which the ACK carries. (client to controller) */
  GET_TOD: 8,
  /** A mark for everybody's log. (either to either) */
  BROADCAST: 9,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

const NAMES = Object.entries(Op).reduce<string[]>((names, [name, op]) => {
  names[op] = name;
  return names;
}, []);

/** `op` for messages to people. */
export function opName(op: number): string {
  return NAMES[op] ?? `operation ${op}`;
}

/** Bytes of `struct um_timetravel_msg`. */
export const MESSAGE_BYTES = 16;

/** `UM_TIMETRAVEL_START_ACK_ID`: the bits of START's acknowledgement that hold the client's place in the page. */
export const START_ACK_ID_MASK = 0xffffn;

/** Layout of `struct um_timetravel_schedshm`, version 2; offsets and sizes in bytes. */
export const SharedLayout = {
  VERSION: 2,
  HEADER_BYTES: 4096,
  CLIENT_BYTES: 128,
  /** Version: u32. */
  OFFSET_VERSION: 0,
  /** Length of everything: u32. */
  OFFSET_LENGTH: 4,
  /** u64; the running client may not reach it. */
  OFFSET_FREE_UNTIL: 8,
  /** u64; written by the running client only. */
  OFFSET_CURRENT_TIME: 16,
  /** u16: the running client's place. */
  OFFSET_RUNNING_ID: 24,
  /** u16 */
  OFFSET_MAX_CLIENTS: 26,
  /** In a client's part: u32. */
  OFFSET_CAPABILITIES: 0,
  /** In a client's part: u32. */
  OFFSET_FLAGS: 4,
  /** In a client's part: u64. */
  OFFSET_REQUEST_TIME: 8,
  /** In a client's part: u64. */
  OFFSET_NAME: 16,
} as const;

/** `UM_TIMETRAVEL_SCHEDSHM_CAP_TIME_SHARE`: the client uses the page. */
export const CAP_TIME_SHARE = 1;
/** `UM_TIMETRAVEL_SCHEDSHM_FLAGS_REQ_RUN`: the client's request time counts. */
export const FLAG_REQ_RUN = 1;
/** The controller's own place in the page; clients are 1, 2, 3 … */
export const CONTROLLER_ID = 0;

/**
 * Layout of `struct um_timetravel_notify` (kernel-patches/um/0010-shm-notifications.patch) in the header of the shared
 * memory of a client that has one of its own; offsets within it, and sizes, in bytes.
 */
export const NotifyLayout = {
  /** Where it is in the shared memory. */
  OFFSET: 2048,
  BYTES: 1552,
  MAGIC: 0x79667431,
  DEVICES: 32,
  KICKS: 64,
  /** u32; set by the controller. */
  OFFSET_MAGIC: 0,
  /** u32: the number of kicks. */
  OFFSET_KICKS: 4,
  /** u64: a bit for each device. */
  OFFSET_LISTENING: 8,
  /** A u64 for each device. */
  OFFSET_PATIENCE: 16,
  /** A u64 for each device, with a bit for each queue. */
  OFFSET_CALL: 272,
  OFFSET_KICK: 528,
  KICK_BYTES: 16,
  /** In a kick, after its time, a u64: u16. */
  OFFSET_KICK_DEVICE: 8,
  /** In a kick: u16. */
  OFFSET_KICK_QUEUE: 10,
  /** In a kick: u16. */
  OFFSET_KICK_AVAILABLE: 12,
} as const;
