// SPDX-License-Identifier: MIT

/**
 * What the controller and the relay in a virtual board say to each other. The relay joins connections that the
 * controller opens to a TCP port of the guest, one at a time.
 *
 * The stream consists of frames, in both directions: the number of a connection (u32), what it is (u8), zero (u8), the
 * size of what follows (u16), little-endian, and that much. Numbers are the controller's, above 0, and each is used
 * once; a frame with another number than that of the connection at hand is late and means nothing. So the bytes of two
 * connections cannot mix, however they end.
 *
 * Nobody sends more data than the receiver has room for: {@link RELAY_WINDOW} bytes, and what it gave as credit since.
 * So whatever comes is read at once, and no frame waits behind data that nobody takes.
 */
export const RelayFrame = {
  /** A new connection; the one before is over, if it was not. (controller to relay) */
  OPEN: 1,
  /** Up to {@link MAX_RELAY_DATA} bytes. (either to either) */
  DATA: 2,
  /** The sender has room for so many bytes more (u32). (either to either) */
  CREDIT: 3,
  /** The connection is over in both directions: nothing follows, what was sent before is still delivered. (either to either) */
  CLOSE: 4,
  /** The relay begins, and knows no connection. Its number is 0. (relay to controller) */
  READY: 5,
} as const;

/** The name of the virtio console port. */
export const RELAY_PORT = 'oneclock.board';
/** Bytes before what belongs to a frame. */
export const RELAY_HEADER = 8;
/** Bytes in a frame with data. */
export const MAX_RELAY_DATA = 8192;
/** Bytes that may be under way in each direction of a new connection. */
export const RELAY_WINDOW = 65536;
