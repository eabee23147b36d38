// SPDX-License-Identifier: MIT

/** A virtio device behind a page of registers: virtio 1.2, section 4.2.2; include/uapi/linux/virtio_mmio.h. */

/** What MAGIC_VALUE reads as: "virt". */
export const MMIO_MAGIC = 0x7472_6976;
/** The version of the registers; 1 is the legacy one. */
export const MMIO_VERSION = 2;

/** Offsets in bytes; each register is 32 bits wide. R: read by the driver, W: written by it. */
export const MmioRegister = {
  MAGIC_VALUE: 0x000, // R
  VERSION: 0x004, // R
  DEVICE_ID: 0x008, // R
  VENDOR_ID: 0x00c, // R
  DEVICE_FEATURES: 0x010, // R
  DEVICE_FEATURES_SEL: 0x014, // W
  DRIVER_FEATURES: 0x020, // W
  DRIVER_FEATURES_SEL: 0x024, // W
  QUEUE_SEL: 0x030, // W
  QUEUE_NUM_MAX: 0x034, // R
  QUEUE_NUM: 0x038, // W
  QUEUE_READY: 0x044, // RW
  QUEUE_NOTIFY: 0x050, // W
  INTERRUPT_STATUS: 0x060, // R
  INTERRUPT_ACK: 0x064, // W
  STATUS: 0x070, // RW
  QUEUE_DESC_LOW: 0x080, // W
  QUEUE_DESC_HIGH: 0x084, // W
  QUEUE_AVAIL_LOW: 0x090, // W, QueueDriverLow
  QUEUE_AVAIL_HIGH: 0x094, // W, QueueDriverHigh
  QUEUE_USED_LOW: 0x0a0, // W, QueueDeviceLow
  QUEUE_USED_HIGH: 0x0a4, // W, QueueDeviceHigh
  SHM_SEL: 0x0ac, // W
  SHM_LEN_LOW: 0x0b0, // R
  SHM_LEN_HIGH: 0x0b4, // R
  SHM_BASE_LOW: 0x0b8, // R
  SHM_BASE_HIGH: 0x0bc, // R
  CONFIG_GENERATION: 0x0fc, // R
  /** The device's own configuration space begins here; accesses of any width. */
  CONFIG: 0x100,
} as const;

/** Bits of INTERRUPT_STATUS and INTERRUPT_ACK. */
export const MmioInterrupt = { USED_BUFFER: 1, CONFIG_CHANGE: 2 } as const;
