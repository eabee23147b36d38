// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import { requestName } from './requests.js';

/** Bytes of a header: request, flags and payload size, each 32 bits in the machine's byte order. */
export const HEADER_BYTES = 12;
/** The longest payload of a message that is served; nothing longer is buffered. */
export const MAX_PAYLOAD_BYTES = 4096;
/** The most descriptors in a message: one for each memory region. */
export const MAX_DESCRIPTORS = 8;

/** Bits of a header's flags. */
export const Flag = {
  VERSION_MASK: 0x3,
  VERSION: 0x1,
  REPLY: 0x4,
  NEED_REPLY: 0x8,
} as const;

const KNOWN_FLAGS = Flag.VERSION_MASK | Flag.REPLY | Flag.NEED_REPLY;

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function writeHeader(bytes: Uint8Array, request: number, flags: number, size: number): void {
  writeU32(bytes, 0, request);
  writeU32(bytes, 4, flags | Flag.VERSION);
  writeU32(bytes, 8, size);
}

/**
 * Checks the header of a request.
 *
 * @throws OneclockError `PARTICIPANT`
 */
export function checkRequestHeader(request: number, flags: number, size: number): void {
  if ((flags & Flag.VERSION_MASK) !== Flag.VERSION) {
    throw bad(request, `version ${flags & Flag.VERSION_MASK} where 1 is the only one`);
  }
  if ((flags & Flag.REPLY) !== 0) throw bad(request, 'the reply flag on a request');
  const unknown = flags & ~KNOWN_FLAGS;
  if (unknown !== 0) throw bad(request, `unknown flags 0x${(unknown >>> 0).toString(16)}`);
  if (size > MAX_PAYLOAD_BYTES) {
    throw bad(request, `a payload of ${size} bytes, more than ${MAX_PAYLOAD_BYTES}`);
  }
}

function bad(request: number, fault: string): OneclockError {
  return new OneclockError('PARTICIPANT', `vhost-user ${requestName(request)} has ${fault}`);
}
