// SPDX-License-Identifier: MIT

/** Open.version. */
export const CONTROL_VERSION = 1;
/** Bytes in a message, without the size before it. */
export const MAX_CONTROL_MESSAGE = 65_536;
/** Bytes of input or output in one message. */
export const MAX_CONTROL_DATA = 16_384;
/** Bytes of a command, and of a node's name. */
export const MAX_COMMAND = 32_768;
export const MAX_NODE_NAME = 255;
