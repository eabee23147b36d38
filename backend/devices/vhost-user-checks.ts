// SPDX-License-Identifier: MIT
import { DeviceError } from './device-error.js';

/** Checks of what a front-end sends; each throws a DeviceError that says what was expected. */

export function expectDescriptors(descriptors: readonly number[], count: number): void {
  if (descriptors.length !== count) {
    throw new DeviceError(`${descriptors.length} descriptors where ${count} are expected`);
  }
}

export function expectReserved(value: number): void {
  if (value !== 0) throw new DeviceError(`${value} in a reserved field`);
}

export function expectOffered(what: string, chosen: bigint, offered: bigint): void {
  const unknown = chosen & ~offered;
  if (unknown !== 0n) throw new DeviceError(`${what} 0x${unknown.toString(16)} were not on offer`);
}
