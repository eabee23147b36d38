// SPDX-License-Identifier: MIT

/** Header.magic. */
export const RECORDING_MAGIC = 'oneclock recording';
/** Header.version. */
export const RECORDING_VERSION = 1;
/** Bytes in a message, without the size before it and the check behind it. */
export const MAX_RECORDING_MESSAGE = 131_072;
/** Bytes of console output in one entry. */
export const MAX_RECORDED_BYTES = 65_536;
/** Bytes of a text. */
export const MAX_RECORDED_TEXT = 8192;
