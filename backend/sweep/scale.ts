// SPDX-License-Identifier: MIT

/** Doubles below it are drawn as 0: steps between them would be inexact. */
const TINY = 1e-290;

/** A range of values on an axis, and where its marks are. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  /** With what is written there. */
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
  /** Where `value` is: 0 at the low end, 1 at the high one. */
  place(value: number): number;
}

/**
 * A scale with about `count` marks at round values (1, 2 or 5 times a power of ten), from the mark at or below `low` to the one
 * at or above `high`.
 */
export function makeScale(low: number, high: number, count: number): Scale {
  const size = Math.max(Math.abs(low), Math.abs(high));
  // Around a single value, and where rounding leaves no room for marks.
  const room = size < TINY ? 0.5 : high - low <= size * 1e-9 ? size / 20 : 0;
  const step = roundStep((high - low + 2 * room) / count);
  const first = Math.floor((low - room) / step + 1e-9);
  const last = Math.ceil((high + room) / step - 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
  const begin = first * step;
  const end = last * step;
  return {
    low: begin,
    high: end,
    ticks: values.map((value) => ({ value, label: tickLabel(value, step) })),
    place: (value) => (value - begin) / (end - begin),
  };
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  // With room for rounding.
  const factor = step / power - 1e-9;
  return (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * power;
}

/** To as many places as the step has. */
function tickLabel(value: number, step: number): string {
  const size = Math.max(Math.abs(value), step);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (size >= 1e6 || places > 6) return String(Number(value.toPrecision(6)));
  return value.toFixed(places).replace(/^-(0(\.0*)?)$/, '$1');
}
