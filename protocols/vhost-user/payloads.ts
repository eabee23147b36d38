// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import { HEADER_BYTES, MAX_DESCRIPTORS, readU32, writeHeader, writeU32 } from './header.js';
import { FrontEndRequest as R, requestName } from './requests.js';

/** The most memory regions in a table. */
export const MAX_REGIONS = MAX_DESCRIPTORS;
/** The longest configuration space that is carried: `VHOST_USER_MAX_CONFIG_SIZE` of QEMU. */
export const MAX_CONFIG_BYTES = 256;

/** Bits of the payload of SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR. */
export const VringDescriptor = { INDEX_MASK: 0xff, NO_DESCRIPTOR: 0x100 } as const;

/** `VHOST_VRING_F_LOG`, the one flag of SET_VRING_ADDR. */
export const VRING_FLAG_LOG = 1;

const STATE_BYTES = 8;
const U64_BYTES = 8;
const ADDRESS_BYTES = 40;
const REGION_BYTES = 32;
const TABLE_HEADER_BYTES = 8;
const CONFIG_HEADER_BYTES = 12;

/** "A vring state description". */
export interface VringState {
  readonly index: number;
  readonly num: number;
}

/** "A vring address description"; user addresses. */
export interface VringAddress {
  readonly index: number;
  readonly flags: number;
  readonly descriptor: number;
  readonly used: number;
  readonly available: number;
}

/** "Memory region description"; all in bytes. */
export interface MemoryRegion {
  readonly guestAddress: number;
  readonly size: number;
  readonly userAddress: number;
  readonly mmapOffset: number;
}

/** "Virtio device config space"; `bytes` is a copy. */
export interface ConfigAccess {
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** Payload bytes of the requests whose size is fixed. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  [R.GET_FEATURES]: 0,
  [R.SET_FEATURES]: U64_BYTES,
  [R.SET_OWNER]: 0,
  [R.RESET_OWNER]: 0,
  [R.SET_VRING_NUM]: STATE_BYTES,
  [R.SET_VRING_ADDR]: ADDRESS_BYTES,
  [R.SET_VRING_BASE]: STATE_BYTES,
  [R.GET_VRING_BASE]: STATE_BYTES,
  [R.SET_VRING_KICK]: U64_BYTES,
  [R.SET_VRING_CALL]: U64_BYTES,
  [R.SET_VRING_ERR]: U64_BYTES,
  [R.GET_PROTOCOL_FEATURES]: 0,
  [R.SET_PROTOCOL_FEATURES]: U64_BYTES,
  [R.GET_QUEUE_NUM]: 0,
  [R.SET_VRING_ENABLE]: STATE_BYTES,
  [R.SEND_RARP]: U64_BYTES,
  [R.NET_SET_MTU]: U64_BYTES,
  [R.SET_BACKEND_REQ_FD]: 0,
  [R.VRING_KICK]: STATE_BYTES,
  [R.GET_MAX_MEM_SLOTS]: 0,
  [R.ADD_MEM_REG]: U64_BYTES + REGION_BYTES,
  [R.REM_MEM_REG]: U64_BYTES + REGION_BYTES,
  [R.SET_STATUS]: U64_BYTES,
  [R.GET_STATUS]: 0,
};

/**
 * Checks the payload size of a request whose size is fixed; the others check theirs as they are read.
 *
 * @throws OneclockError `PARTICIPANT`
 */
export function checkPayloadSize(request: number, size: number): void {
  const expected = FIXED_BYTES[request];
  if (expected !== undefined && expected !== size) {
    throw bad(request, `a payload of ${size} bytes where ${expected} are expected`);
  }
}

/** An unsigned 64-bit integer, exact. */
export function readU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at + 4)) << 32n) | BigInt(readU32(bytes, at));
}

/** A 64-bit address, size or offset; undefined from 2^53 on, where no memory of a process can be. */
function readSize(bytes: Uint8Array, at: number): number | undefined {
  const high = readU32(bytes, at + 4);
  return high > 0x1fffff ? undefined : high * 0x1_0000_0000 + readU32(bytes, at);
}

function readAddress(request: number, what: string, bytes: Uint8Array, at: number): number {
  const value = readSize(bytes, at);
  if (value === undefined) {
    throw bad(request, `${what} 0x${readU64(bytes, at).toString(16)}, which no memory can have`);
  }
  return value;
}

export function readVringState(bytes: Uint8Array, at: number): VringState {
  return { index: readU32(bytes, at), num: readU32(bytes, at + 4) };
}

/** The log address is left out: logging is not offered, and front-ends fill it with anything. */
export function readVringAddress(bytes: Uint8Array, at: number): VringAddress {
  const request = R.SET_VRING_ADDR;
  return {
    index: readU32(bytes, at),
    flags: readU32(bytes, at + 4),
    descriptor: readAddress(request, 'descriptor table address', bytes, at + 8),
    used: readAddress(request, 'used ring address', bytes, at + 16),
    available: readAddress(request, 'available ring address', bytes, at + 24),
  };
}

function readRegion(request: number, bytes: Uint8Array, at: number): MemoryRegion {
  return {
    guestAddress: readAddress(request, 'guest address', bytes, at),
    size: readAddress(request, 'size', bytes, at + 8),
    userAddress: readAddress(request, 'user address', bytes, at + 16),
    mmapOffset: readAddress(request, 'mmap offset', bytes, at + 24),
  };
}

/** The region of ADD_MEM_REG or REM_MEM_REG, which follows 64 bits of padding. */
export function readSingleRegion(request: number, bytes: Uint8Array, at: number): MemoryRegion {
  return readRegion(request, bytes, at + U64_BYTES);
}

/**
 * The regions of SET_MEM_TABLE. The payload may be longer than its regions need: User-Mode Linux always sends
 * room for two (arch/um/drivers/virtio_uml.c, vhost_user_set_mem_table).
 */
export function readMemoryTable(bytes: Uint8Array, at: number, size: number): MemoryRegion[] {
  const request = R.SET_MEM_TABLE;
  const room = (size - TABLE_HEADER_BYTES) / REGION_BYTES;
  if (!Number.isInteger(room) || room < 0 || room > MAX_REGIONS) {
    throw bad(request, `a payload of ${size} bytes, which is no table of at most ${MAX_REGIONS} regions`);
  }
  const count = readU32(bytes, at);
  if (count === 0 || count > room) throw bad(request, `${count} regions in a table with room for ${room}`);
  const regions: MemoryRegion[] = [];
  for (let i = 0; i < count; i++) {
    regions.push(readRegion(request, bytes, at + TABLE_HEADER_BYTES + i * REGION_BYTES));
  }
  return regions;
}

/** The access of GET_CONFIG or SET_CONFIG. */
export function readConfigAccess(
  request: number,
  bytes: Uint8Array,
  at: number,
  payloadSize: number,
): ConfigAccess {
  if (payloadSize < CONFIG_HEADER_BYTES)
    throw bad(request, `a payload of ${payloadSize} bytes, which is too short`);
  const offset = readU32(bytes, at);
  const size = readU32(bytes, at + 4);
  if (size !== payloadSize - CONFIG_HEADER_BYTES) {
    throw bad(request, `an access of ${size} bytes in a payload of ${payloadSize}`);
  }
  return {
    offset,
    size,
    flags: readU32(bytes, at + 8),
    bytes: bytes.slice(at + CONFIG_HEADER_BYTES, at + CONFIG_HEADER_BYTES + size),
  };
}

/** A message whose payload is one 64-bit integer. */
export function encodeU64(request: number, flags: number, value: bigint): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + U64_BYTES);
  writeHeader(message, request, flags, U64_BYTES);
  writeU32(message, HEADER_BYTES, Number(value & 0xffff_ffffn));
  writeU32(message, HEADER_BYTES + 4, Number((value >> 32n) & 0xffff_ffffn));
  return message;
}

/** A message whose payload is a vring state. */
export function encodeVringState(request: number, flags: number, index: number, num: number): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + STATE_BYTES);
  writeHeader(message, request, flags, STATE_BYTES);
  writeU32(message, HEADER_BYTES, index);
  writeU32(message, HEADER_BYTES + 4, num);
  return message;
}

/** A message whose payload is an access to the configuration space. */
export function encodeConfig(request: number, flags: number, access: Omit<ConfigAccess, 'size'>): Uint8Array {
  const size = CONFIG_HEADER_BYTES + access.bytes.length;
  const message = new Uint8Array(HEADER_BYTES + size);
  writeHeader(message, request, flags, size);
  writeU32(message, HEADER_BYTES, access.offset);
  writeU32(message, HEADER_BYTES + 4, access.bytes.length);
  writeU32(message, HEADER_BYTES + 8, access.flags);
  message.set(access.bytes, HEADER_BYTES + CONFIG_HEADER_BYTES);
  return message;
}

/** A message without a payload. */
export function encodeEmpty(request: number, flags: number): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES);
  writeHeader(message, request, flags, 0);
  return message;
}

function bad(request: number, fault: string): OneclockError {
  return new OneclockError('PARTICIPANT', `vhost-user ${requestName(request)} has ${fault}`);
}
