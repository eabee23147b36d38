// SPDX-License-Identifier: MIT

/** Hello.version. */
export const BOARD_PROTOCOL_VERSION = 1;
/** Bytes in a message, without the size before it. */
export const MAX_BOARD_MESSAGE = 65_536;
/** Bytes of Hello.session. */
export const SESSION_BYTES = 16;
/** Processes in one Register or Unregister: as many as fit into one write to a file in sysfs. */
export const MAX_PROCESSES = 256;
/** Bytes of console output in one message. */
export const MAX_CONSOLE_BYTES = 32_768;
/** Bytes of a command of Start. */
export const MAX_COMMAND_BYTES = 32_768;
export const MAX_SIGNAL = 64;
/** PID_MAX_LIMIT of include/linux/threads.h, 64-bit. */
export const MAX_PID = 4_194_304;

/** Refused.reason; the index is the number in board.proto. */
export const REFUSALS = ['unknown', 'busy', 'version', 'gone'] as const;
export type RefusalReason = (typeof REFUSALS)[number];

/**
 * The one cipher suite: a pre-shared key, a fresh elliptic-curve exchange, so that a key that leaks later opens no
 * recording, and a cipher that is fast without special instructions (RFC 7905, section 2).
 */
export const BOARD_CIPHERS = 'ECDHE-PSK-CHACHA20-POLY1305';
/** Pre-shared keys of Node.js are those of TLS 1.2. */
export const BOARD_TLS_VERSION = 'TLSv1.2';
/** What the controller calls the board: the identity of the pre-shared key, RFC 4279 section 5.1. */
export const BOARD_IDENTITY = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
