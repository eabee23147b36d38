// SPDX-License-Identifier: MIT

/**
 * Device types (virtio 1.2, section 5; include/uapi/linux/virtio_ids.h), the status field (2.1) and the feature
 * bits that belong to no device type (6; virtio_config.h, virtio_ring.h).
 */

export const DeviceType = { NET: 1, CONSOLE: 3, RNG: 4, GPIO: 41 } as const;

/** Bits of the device status, driver to device. */
export const Status = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  NEEDS_RESET: 64,
  FAILED: 128,
} as const;

/** Feature bits. */
export const Feature = {
  RING_INDIRECT_DESC: 28,
  RING_EVENT_IDX: 29,
  VERSION_1: 32,
} as const;

/** A set of features with `bit` in it alone. */
export function featureBit(bit: number): bigint {
  return 1n << BigInt(bit);
}

export function hasFeature(features: bigint, bit: number): boolean {
  return (features & featureBit(bit)) !== 0n;
}
