// SPDX-License-Identifier: MIT
import type { MapShared, SharedMemory } from '../../host/native/memory.js';
import { MAX_REGIONS, type MemoryRegion } from '../../protocols/vhost-user/index.js';
import { invariant } from '../errors.js';
import { DeviceError } from './device-error.js';

/** Everything about a region is a multiple of it, so that every alignment of the guest's is one of ours. */
const PAGE_BYTES = 4096;
/** The longest region: what one typed array can hold. */
const MAX_REGION_BYTES = 0x1_0000_0000;
/** The most memory of a guest that is mapped at once. */
const MAX_GUEST_BYTES = 16 * MAX_REGION_BYTES;

/** One span of the guest's memory. */
export interface MappedRegion extends MemoryRegion {
  readonly memory: SharedMemory;
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words. */
  readonly words: Uint32Array;
}

/**
 * The memory that a guest shares with its devices. Nothing is copied: what it returns are views, good until the
 * region goes.
 *
 * Addresses are guest-physical in descriptors, and *user* addresses (of the front-end's own process) where
 * vhost-user says where a ring is.
 */
export class GuestMemory {
  readonly #map: MapShared;
  #regions: MappedRegion[] = [];
  /** The region of the last hit; descriptors mostly lie in one. */
  #recent: MappedRegion | undefined;

  constructor(map: MapShared) {
    this.#map = map;
  }

  get regionCount(): number {
    return this.#regions.length;
  }

  /** False once the guest has cut a file shorter that it shares. */
  get intact(): boolean {
    return this.#regions.every((region) => region.memory.intact());
  }

  /**
   * Replaces every region by `regions`, whose files are `descriptors` in the same order; they stay the caller's
   * to close.
   *
   * @throws DeviceError; no region is left then
   */
  replace(regions: readonly MemoryRegion[], descriptors: readonly number[]): void {
    this.close();
    if (regions.length !== descriptors.length) {
      throw new DeviceError(`${regions.length} memory regions with ${descriptors.length} descriptors`);
    }
    regions.forEach((region, i) => {
      this.add(region, descriptors[i] as number);
    });
  }

  /** Maps one more region. @throws DeviceError; no region is left then */
  add(region: MemoryRegion, descriptor: number): void {
    try {
      this.#check(region);
      const memory = this.#map(descriptor, region.mmapOffset, region.size);
      this.#insert(region, memory);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Adds memory that is mapped already, and is unmapped with the rest. */
  adopt(guestAddress: number, memory: SharedMemory): void {
    const region = { guestAddress, userAddress: guestAddress, size: memory.bytes.length, mmapOffset: 0 };
    this.#check(region);
    this.#insert(region, memory);
  }

  /** Unmaps the region with these addresses and this size. @throws DeviceError where there is none */
  remove(region: MemoryRegion): void {
    const index = this.#regions.findIndex(
      (mapped) =>
        mapped.guestAddress === region.guestAddress &&
        mapped.userAddress === region.userAddress &&
        mapped.size === region.size,
    );
    const found = this.#regions[index];
    if (!found) throw new DeviceError(`there is no memory region ${describe(region)} to remove`);
    this.#regions.splice(index, 1);
    this.#recent = undefined;
    found.memory.close();
  }

  close(): void {
    const regions = this.#regions;
    this.#regions = [];
    this.#recent = undefined;
    for (const region of regions) region.memory.close();
  }

  /** The region with guest-physical `address` in it; undefined where there is none. */
  regionAt(address: number): MappedRegion | undefined {
    const recent = this.#recent;
    if (recent && address >= recent.guestAddress && address - recent.guestAddress < recent.size)
      return recent;
    for (const region of this.#regions) {
      if (address < region.guestAddress || address - region.guestAddress >= region.size) continue;
      this.#recent = region;
      return region;
    }
    return undefined;
  }

  /** `length` bytes from guest-physical `address`, in one region; undefined where they are not. */
  guest(address: number, length: number): Uint8Array | undefined {
    const region = this.regionAt(address);
    return region && view(region, address - region.guestAddress, length);
  }

  /** `length` bytes from user address `address`, in one region; undefined where they are not. */
  user(address: number, length: number): Uint8Array | undefined {
    for (const region of this.#regions) {
      const offset = address - region.userAddress;
      if (offset >= 0 && offset < region.size) return view(region, offset, length);
    }
    return undefined;
  }

  #check(region: MemoryRegion): void {
    const fault = this.#fault(region);
    if (fault !== undefined) throw new DeviceError(`memory region ${describe(region)} ${fault}`);
  }

  #fault(region: MemoryRegion): string | undefined {
    const { guestAddress, size, userAddress, mmapOffset } = region;
    if (size === 0) return 'is empty';
    if (size > MAX_REGION_BYTES) return `is longer than ${MAX_REGION_BYTES} bytes`;
    for (const value of [guestAddress, size, userAddress, mmapOffset]) {
      if (value % PAGE_BYTES !== 0) return `is not on ${PAGE_BYTES}-byte boundaries`;
      if (value > Number.MAX_SAFE_INTEGER - size) return 'ends past every address';
    }
    if (this.#regions.length >= MAX_REGIONS) return `is one more than ${MAX_REGIONS}`;
    const total = this.#regions.reduce((sum, other) => sum + other.size, size);
    if (total > MAX_GUEST_BYTES)
      return `makes the guest's memory ${total} bytes, more than ${MAX_GUEST_BYTES}`;
    for (const other of this.#regions) {
      if (
        overlaps(guestAddress, size, other.guestAddress, other.size) ||
        overlaps(userAddress, size, other.userAddress, other.size)
      ) {
        return `overlaps region ${describe(other)}`;
      }
    }
    return undefined;
  }

  #insert(region: MemoryRegion, memory: SharedMemory): void {
    const bytes = memory.bytes;
    invariant(
      bytes.length === region.size && bytes.byteOffset % 16 === 0,
      () => `mapped ${bytes.length} bytes at offset ${bytes.byteOffset} for ${region.size}`,
    );
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.#regions.push({ ...region, memory, bytes, words });
    this.#recent = undefined;
  }
}

function view(region: MappedRegion, offset: number, length: number): Uint8Array | undefined {
  return length <= region.size - offset ? region.bytes.subarray(offset, offset + length) : undefined;
}

function overlaps(a: number, aSize: number, b: number, bSize: number): boolean {
  return a < b + bSize && b < a + aSize;
}

function describe(region: MemoryRegion): string {
  const hex = (value: number) => `0x${value.toString(16)}`;
  return `of ${hex(region.size)} bytes at guest ${hex(region.guestAddress)}, user ${hex(region.userAddress)}`;
}
