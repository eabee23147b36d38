// SPDX-License-Identifier: MIT

/** GPIO lines by the character device: include/uapi/linux/gpio.h, version 2. Sizes and offsets in bytes. */

/** GPIO_V2_LINE_FLAG_* */
export const LineFlag = {
  INPUT: 1 << 2,
  OUTPUT: 1 << 3,
  EDGE_RISING: 1 << 4,
  EDGE_FALLING: 1 << 5,
  OPEN_DRAIN: 1 << 6,
} as const;

/** Layout of `struct gpio_v2_line_event`. */
export const LineEvent = { TIMESTAMP: 0, ID: 8, BYTES: 48 } as const;

/** GPIO_V2_LINE_EVENT_* */
export const LineEventId = { RISING_EDGE: 1, FALLING_EDGE: 2 } as const;
