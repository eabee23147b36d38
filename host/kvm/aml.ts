// SPDX-License-Identifier: MIT

/** As much of ACPI's machine language as it takes to describe devices (ACPI 6.4, chapter 20). */

const Op = {
  NAME: 0x08,
  BYTE: 0x0a,
  WORD: 0x0b,
  STRING: 0x0d,
  SCOPE: 0x10,
  BUFFER: 0x11,
  PACKAGE: 0x12,
} as const;
const DEVICE_OP = Uint8Array.of(0x5b, 0x82);

/** A number from 0 to 65535. */
export function amlNumber(value: number): Buffer {
  return value < 0x100 ? Buffer.of(Op.BYTE, value) : Buffer.of(Op.WORD, value & 0xff, value >> 8);
}

export function amlString(text: string): Buffer {
  return Buffer.concat([Buffer.of(Op.STRING), Buffer.from(`${text}\0`, 'latin1')]);
}

export function amlBuffer(bytes: Uint8Array): Buffer {
  return sized(Buffer.of(Op.BUFFER), [amlNumber(bytes.length), bytes]);
}

export function amlPackage(elements: readonly Uint8Array[]): Buffer {
  return sized(Buffer.of(Op.PACKAGE), [Buffer.of(elements.length), ...elements]);
}

export function amlName(name: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(Op.NAME), Buffer.from(name, 'latin1'), value]);
}

export function amlScope(name: string, terms: readonly Uint8Array[]): Buffer {
  return sized(Buffer.of(Op.SCOPE), [Buffer.from(name, 'latin1'), ...terms]);
}

/** @param name four characters */
export function amlDevice(name: string, terms: readonly Uint8Array[]): Buffer {
  return sized(DEVICE_OP, [Buffer.from(name, 'latin1'), ...terms]);
}

/** An operation with its length, which counts itself (20.2.4). */
function sized(operation: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([operation, packageLength(body.length), body]);
}

function packageLength(length: number): Buffer {
  if (length + 1 < 0x40) return Buffer.of(length + 1);
  if (length + 2 < 0x1000) return Buffer.of(0x40 | ((length + 2) & 15), (length + 2) >> 4);
  const whole = length + 3;
  return Buffer.of(0x80 | (whole & 15), (whole >> 4) & 0xff, whole >> 12);
}
