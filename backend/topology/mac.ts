// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { Refusal } from './refusal.js';

export const MAC = /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/;

/** Reads `02:00:00:00:00:01`; a refusal for an address that is not one interface's; undefined for another form. */
export function parseMac(text: string): Uint8Array | Refusal | undefined {
  if (!MAC.test(text)) return undefined;
  const bytes = Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
  if (((bytes[0] ?? 0) & 1) !== 0)
    return new Refusal(
      `expected the MAC address of one interface; found the group address '${text}'; begin it with 02`,
    );
  if (bytes.every((byte) => byte === 0))
    return new Refusal(`expected the MAC address of one interface; found '${text}'; begin it with 02`);
  return bytes;
}

/** Six bytes as `02:00:00:00:00:01`. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/**
 * A locally administered unicast address for an interface without one in the file: the first six bytes of a hash of the
 * seed and the names, and of the next number where that address is in `taken` already.
 *
 * @param taken in the form of {@link formatMac}; the result is not added
 */
export function deriveMac(
  seed: bigint,
  node: string,
  name: string,
  taken: { has(mac: string): boolean },
): Uint8Array {
  for (let attempt = 0; ; attempt++) {
    const hash = createHash('sha256').update(`oneclock mac\0${seed}\0${node}\0${name}\0${attempt}`).digest();
    const bytes = Uint8Array.from(hash.subarray(0, 6));
    bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
    if (!taken.has(formatMac(bytes))) return bytes;
  }
}
