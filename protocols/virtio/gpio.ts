// SPDX-License-Identifier: MIT

/** The GPIO device: virtio 1.2, section 5.18; include/uapi/linux/virtio_gpio.h. Sizes and offsets in bytes. */

export const GpioFeature = { IRQ: 0 } as const;

/** The event queue is there with {@link GpioFeature.IRQ} only (5.18.2). */
export const GpioQueue = { REQUEST: 0, EVENT: 1 } as const;

/** Layout of `struct virtio_gpio_config` (5.18.4). */
export const GpioConfig = {
  LINES: 0,
  NAMES_SIZE: 4,
  BYTES: 8,
} as const;

/** `struct virtio_gpio_request` (5.18.6): type u16, line u16, value u32; driver to device. */
export const GpioRequest = { TYPE: 0, LINE: 2, VALUE: 4, BYTES: 8 } as const;

/** `struct virtio_gpio_response`: status u8, value u8; device to driver. That to GET_LINE_NAMES has more values. */
export const GpioResponse = { STATUS: 0, VALUE: 1, BYTES: 2 } as const;

/** What the driver asks (5.18.6). */
export const GpioMessage = {
  /** The names of all lines, each with a zero byte behind it. */
  GET_LINE_NAMES: 1,
  GET_DIRECTION: 2,
  SET_DIRECTION: 3,
  /** The level that is sensed at the line. */
  GET_VALUE: 4,
  /** The level of an output, now or from when the line becomes one. */
  SET_VALUE: 5,
  /** When the line interrupts; with {@link GpioFeature.IRQ} only. */
  SET_IRQ_TYPE: 6,
} as const;

export const GpioStatus = { OK: 0, ERROR: 1 } as const;

export const GpioDirection = { NONE: 0, OUT: 1, IN: 2 } as const;
export type GpioDirection = (typeof GpioDirection)[keyof typeof GpioDirection];

export const GpioIrqType = {
  NONE: 0,
  EDGE_RISING: 1,
  EDGE_FALLING: 2,
  EDGE_BOTH: 3,
  LEVEL_HIGH: 4,
  LEVEL_LOW: 8,
} as const;
export type GpioIrqType = (typeof GpioIrqType)[keyof typeof GpioIrqType];

/** `struct virtio_gpio_irq_request`: line u16; driver to device, which unmasks the interrupt (5.18.7). */
export const GPIO_IRQ_REQUEST_BYTES = 2;
/** `struct virtio_gpio_irq_response`: status u8; device to driver, which masks the interrupt. */
export const GPIO_IRQ_RESPONSE_BYTES = 1;

export const GpioIrqStatus = {
  /** There was no interrupt: it is not enabled any more. */
  INVALID: 0,
  VALID: 1,
} as const;
