// SPDX-License-Identifier: MIT

/** Hello.version. */
export const WRITE_UPDATE_VERSION = 1;
/** Bytes in a message, without the size before it. */
export const MAX_WRITE_UPDATE_MESSAGE = 65_536;
/** Updates in a Snapshot: as many as fit into a message, whatever is in them. */
export const MAX_SNAPSHOT = 1024;
export const MAX_MEMBER = 65_535;
export const MAX_VARIABLE = 65_535;
export const MAX_SIZE = 8;

/** Hello.method; the index is the number in write-update.proto. */
export const METHODS = ['unknown', 'ordered', 'local-first'] as const;
