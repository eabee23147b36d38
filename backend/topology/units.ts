// SPDX-License-Identifier: MIT

/** A number without sign or exponent, such as `1.5`, in front of a unit. */
interface Decimal {
  /** All digits, without the point. */
  readonly digits: bigint;
  /** How many of the digits stand behind the point. */
  readonly decimals: number;
  readonly unit: string;
}

export const RATE = /^\d{1,18}(?:\.\d{1,18})?(?:bit|kbit|mbit|gbit|tbit)$/;
export const SIZE = /^\d{1,18}(?:\.\d{1,18})?[KMG]$/;
export const PERCENT = /^\d{1,3}(?:\.\d{1,18})?%$/;

const RATE_UNITS: { readonly [unit: string]: bigint } = {
  bit: 1n,
  kbit: 1_000n,
  mbit: 1_000_000n,
  gbit: 1_000_000_000n,
  tbit: 1_000_000_000_000n,
};
const SIZE_UNITS: { readonly [unit: string]: bigint } = { K: 1n << 10n, M: 1n << 20n, G: 1n << 30n };
/** One percent in the unit of a chance, parts of 1 000 000 000. */
const PERCENT_PARTS: { readonly [unit: string]: bigint } = { '%': 10_000_000n };

/** `1.5mbit` in bits per second; undefined where `text` is not a rate or not a whole number of bits. */
export function parseRate(text: string): bigint | undefined {
  return RATE.test(text) ? scale(text, RATE_UNITS) : undefined;
}

/** `64M` in bytes (K, M, G are 1024, 1024², 1024³); undefined where `text` is not a whole number of bytes. */
export function parseSize(text: string): bigint | undefined {
  return SIZE.test(text) ? scale(text, SIZE_UNITS) : undefined;
}

/** `0.1%` in parts of 1 000 000 000; undefined where `text` is not a percentage or finer than that. */
export function parsePercent(text: string): bigint | undefined {
  return PERCENT.test(text) ? scale(text, PERCENT_PARTS) : undefined;
}

function scale(text: string, units: { readonly [unit: string]: bigint }): bigint | undefined {
  const decimal = split(text);
  const size = units[decimal.unit];
  if (size === undefined) return undefined;
  const scaled = decimal.digits * size;
  const divisor = 10n ** BigInt(decimal.decimals);
  return scaled % divisor === 0n ? scaled / divisor : undefined;
}

function split(text: string): Decimal {
  const [, whole = '0', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))?(.*)$/.exec(text) ?? [];
  return { digits: BigInt(whole + fraction), decimals: fraction.length, unit };
}
