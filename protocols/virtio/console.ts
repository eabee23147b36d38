// SPDX-License-Identifier: MIT

/** The console device: virtio 1.2, section 5.3; include/uapi/linux/virtio_console.h. */

export const ConsoleFeature = { SIZE: 0, MULTIPORT: 1, EMERGENCY_WRITE: 2 } as const;

/** Queues of a device with MULTIPORT: port 0, control, then port 1 and up (5.3.2). */
export const ConsoleQueue = {
  CONTROL_RECEIVE: 2,
  CONTROL_TRANSMIT: 3,
} as const;

/** The queue with input for the guest's `port`. */
export function receiveQueueOf(port: number): number {
  return port === 0 ? 0 : 2 * port + 2;
}

/** The queue with output of the guest's `port`. */
export function transmitQueueOf(port: number): number {
  return receiveQueueOf(port) + 1;
}

/** Layout of `struct virtio_console_config`; offsets in bytes. */
export const ConsoleConfig = {
  COLUMNS: 0,
  ROWS: 2,
  MAX_PORTS: 4,
  EMERGENCY_WRITE: 8,
  BYTES: 12,
} as const;

/** `struct virtio_console_control`: id u32, event u16, value u16; then, for PORT_NAME, the name. */
export const CONTROL_BYTES = 8;

/** `id` of a message that is about the device and no port: `VIRTIO_CONSOLE_BAD_ID`. */
export const NO_PORT = 0xffff_ffff;

/** Events of control messages (5.3.6.2). */
export const ControlEvent = {
  /** The driver is ready; value 1, or 0 where it failed. (driver to device) */
  DEVICE_READY: 0,
  /** A port is there. (device to driver) */
  PORT_ADD: 1,
  /** A port is gone. (device to driver) */
  PORT_REMOVE: 2,
  /** A port that was added is ready; value 1, or 0 where it failed. (driver to device) */
  PORT_READY: 3,
  /** The port is a console. (device to driver) */
  CONSOLE_PORT: 4,
  /** Columns and rows follow. (device to driver) */
  RESIZE: 5,
  /** The port was opened (1) or closed (0) at the sender's end. (either to either) */
  PORT_OPEN: 6,
  /** The port's name follows. (device to driver) */
  PORT_NAME: 7,
} as const;
