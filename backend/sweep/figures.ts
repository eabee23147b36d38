// SPDX-License-Identifier: MIT
import type { Summary } from './statistics.js';

/** More places than these after the point are written with a power of ten. */
const MAX_PLACES = 9;
/** From here on integers are not exact. */
const LARGE = 1e15;

/** How a summary is shown; `-` for what a single run does not tell. */
export interface Figures {
  readonly n: string;
  readonly mean: string;
  readonly confidence95: string;
  readonly deviation: string;
  readonly min: string;
  readonly max: string;
}

/**
 * Rounds to what the confidence supports: its half-width has two significant digits, and all else as many places as it.
 */
export function figuresOf({ n, mean, deviation, confidence95, min, max }: Summary): Figures {
  const show = (value: number | null) => (value === null ? '-' : figure(value, confidence95));
  return {
    n: String(n),
    mean: show(mean),
    confidence95: show(confidence95),
    deviation: show(deviation),
    min: show(min),
    max: show(max),
  };
}

/** Shows `value`, which is known to within `half`; where that is 0 or unknown, to 12 or 6 significant digits. */
export function figure(value: number, half: number | null): string {
  if (half === null || half === 0 || !Number.isFinite(half)) {
    if (Number.isInteger(value) && Math.abs(value) < LARGE) return String(value);
    return String(Number(value.toPrecision(half === 0 ? 12 : 6)));
  }
  const places = placesOf(half);
  if (places > MAX_PLACES || Math.abs(value) >= LARGE) {
    const digits = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value))) + places;
    return value.toExponential(Math.min(20, Math.max(0, digits)));
  }
  if (places >= 0) return unsigned(value.toFixed(places));
  const unit = 10 ** -places;
  return unsigned((Math.round(value / unit) * unit).toFixed(0));
}

/** How many places after the point `half` has with two significant digits; below 0: it ends in zeros. */
function placesOf(half: number): number {
  const [, exponent] = half.toExponential(1).split('e') as [string, string];
  return 1 - Number(exponent);
}

/** Without the sign of a zero. */
function unsigned(text: string): string {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}
