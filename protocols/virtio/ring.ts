// SPDX-License-Identifier: MIT

/** The split virtqueue in memory: virtio 1.2, section 2.7; include/uapi/linux/virtio_ring.h. Sizes in bytes. */

/** The largest queue (2.7). */
export const MAX_QUEUE_SIZE = 32768;

/** Bytes of a descriptor: address u64, length u32, flags u16, next u16 (2.7.5). */
export const DESCRIPTOR_BYTES = 16;

/** Bits of a descriptor's flags (2.7.5). */
export const DescriptorFlag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;

/** Alignment of each part (2.7). */
export const Alignment = { DESCRIPTOR_TABLE: 16, AVAILABLE: 2, USED: 4 } as const;

/** `flags` of the available ring (2.7.6), driver to device. */
export const AVAILABLE_NO_INTERRUPT = 1;
/** `flags` of the used ring (2.7.8), device to driver. */
export const USED_NO_NOTIFY = 1;

export function descriptorTableBytes(size: number): number {
  return DESCRIPTOR_BYTES * size;
}

/** Flags u16, index u16, `size` heads of u16, and used_event u16. */
export function availableRingBytes(size: number): number {
  return 6 + 2 * size;
}

/** Flags u16, index u16, `size` elements of id u32 and length u32, and avail_event u16. */
export function usedRingBytes(size: number): number {
  return 6 + 8 * size;
}
