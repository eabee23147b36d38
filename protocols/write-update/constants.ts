// SPDX-License-Identifier: MIT

/** Hello.version. */
export const WRITE_UPDATE_VERSION = 1;
/** Bytes in a message, without the size before it. */
export const MAX_WRITE_UPDATE_MESSAGE = 65_536;
/** Updates in a Snapshot: as many as fit into a message, whatever is in them. */
export const MAX_SNAPSHOT = 1024;
/** What may be under way on a connection; a message counts its bytes and {@link MESSAGE_COST}. */
export const WINDOW = 98_304;
/** What is read before a Credit says so. */
export const CREDIT_STEP = 24_576;
/** What the kernel needs for a message besides its bytes, or a little more. */
export const MESSAGE_COST = 1024;
/** Update.rank. */
export const MAX_RANK = 16_383;
export const MAX_MEMBER = 65_535;
export const MAX_VARIABLE = 65_535;
export const MAX_SIZE = 8;

/** Hello.method; the index is the number in write-update.proto. */
export const METHODS = ['unknown', 'ordered', 'local-first'] as const;
