// SPDX-License-Identifier: MIT

/** Memory shared with another process, as bytes. */
export interface SharedMemory {
  readonly bytes: Uint8Array;
  /** False once the other side has cut the file shorter than the mapping: what was lost reads as zero. */
  intact(): boolean;
  /** Unmaps; `bytes` becomes empty. Safe to call twice. */
  close(): void;
}

/**
 * Maps `length` bytes at `offset` of `descriptor`, shared, for reading and writing. The descriptor stays the
 * caller's to close.
 *
 * @throws OneclockError `PARTICIPANT` where the file is too short or cannot be mapped
 */
export type MapShared = (descriptor: number, offset: number, length: number) => SharedMemory;
