// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { OneclockError } from '../../backend/errors.js';
import { addon } from './addon.js';
import type { SharedMemory } from './memory.js';

/** {@link MapShared} with real memory. */
export function mapShared(descriptor: number, offset: number, length: number): SharedMemory {
  try {
    const mapping = new addon.Mapping(descriptor, offset, length);
    let bytes = new Uint8Array(mapping.buffer);
    return {
      get bytes() {
        return bytes;
      },
      intact: () => mapping.intact(),
      close: () => {
        mapping.close();
        bytes = new Uint8Array(0);
      },
    };
  } catch (cause) {
    throw new OneclockError('PARTICIPANT', `cannot map the memory it shares: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** A new file of `length` zero bytes in memory, mapped here, that can be passed to another process. */
export interface OwnedMemory extends SharedMemory {
  readonly descriptor: number;
}

/** Makes an {@link OwnedMemory}; `close` closes its descriptor too. */
export function createSharedMemory(length: number): OwnedMemory {
  const descriptor = addon.createSharedMemory(length);
  const memory = mapShared(descriptor, 0, length);
  let open = true;
  return {
    descriptor,
    get bytes() {
      return memory.bytes;
    },
    intact: () => memory.intact(),
    close: () => {
      if (!open) return;
      open = false;
      memory.close();
      closeSync(descriptor);
    },
  };
}

/**
 * Gives back the pages of all shared memories that were touched here. They stay as they are with the other side; the
 * next touch of one costs a page fault.
 */
export function trimShared(): void {
  addon.trimMappings();
}
