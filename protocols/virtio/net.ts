// SPDX-License-Identifier: MIT

/** The network device: virtio 1.2, section 5.1; include/uapi/linux/virtio_net.h. */

export const NetFeature = { MTU: 3, MAC: 5, MRG_RXBUF: 15, STATUS: 16 } as const;

export const NetQueue = { RECEIVE: 0, TRANSMIT: 1 } as const;

/** Bits of the configuration's status. */
export const NET_STATUS_LINK_UP = 1;

/** Layout of `struct virtio_net_config` up to what our features give; offsets in bytes. */
export const NetConfig = {
  MAC: 0,
  STATUS: 6,
  MAX_QUEUE_PAIRS: 8,
  MTU: 10,
  BYTES: 12,
} as const;

/** `struct virtio_net_hdr_v1`, before each frame; offsets and sizes in bytes. */
export const NetHeader = {
  FLAGS: 0,
  GSO_TYPE: 1,
  NUM_BUFFERS: 10,
  /** With VERSION_1 or MRG_RXBUF. */
  BYTES: 12,
  /** Without both: `num_buffers` is not there (5.1.6.1). */
  LEGACY_BYTES: 10,
} as const;
