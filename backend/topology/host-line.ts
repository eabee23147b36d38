// SPDX-License-Identifier: MIT
import type { HostLineSpec } from './model.js';

/** `gpiochip0/17`: line 17 of a chip, by its device; `gpio17`: line 17 of all, by sysfs. */
export const HOST_LINE = /^(?:gpiochip\d{1,4}\/\d{1,5}|gpio\d{1,6})$/;
export const HOST_LINE_EXPECTED = 'a GPIO line of this machine, such as gpiochip0/17, or gpio17 for sysfs';

/** The line that is written so, in the form of {@link HOST_LINE}. */
export function parseHostLine(written: string): HostLineSpec {
  const [, chip, digits = ''] = /^(?:(gpiochip\d+)\/|gpio)(\d+)$/.exec(written) ?? [];
  return { name: written, chip, offset: Number(digits) };
}
