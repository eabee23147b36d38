// SPDX-License-Identifier: MIT
import { parseDuration } from '../../calendar/time.js';

const SECOND = 1_000_000_000n;
/** Between groups of three digits: a narrow space, at which no line is broken. */
const GAP = '\u202f';

/** An instant with all nine decimals, in groups: `12.345 678 901 s`. */
export function formatAt(at: bigint): string {
  const sign = at < 0n ? '-' : '';
  const value = at < 0n ? -at : at;
  const fraction = (value % SECOND).toString().padStart(9, '0');
  return `${sign}${grouped(value / SECOND)}.${fraction.replace(/(\d{3})(?=\d)/g, `$1${GAP}`)} s`;
}

function grouped(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, GAP);
}

const UNITS = [
  ['s', 1_000_000_000],
  ['ms', 1_000_000],
  ['µs', 1000],
  ['ns', 1],
] as const;

/** A span of `ns` nanoseconds with three or four digits: `1.234 ms`, and so rounded. */
export function formatSpan(ns: number): string {
  const size = Math.abs(ns);
  const [unit, scale] = UNITS.find(([, each]) => size >= each) ?? UNITS[3];
  const value = ns / scale;
  const digits = unit === 'ns' ? (Number.isInteger(value) ? 0 : 2) : Math.abs(value) >= 100 ? 1 : 3;
  const text = value.toFixed(digits);
  return `${digits === 3 ? text.replace(/\.?0+$/, '') : text} ${unit}`;
}

/** The exact distance between two instants: `+12.345 µs`. `exact`: without zeros at its end, which columns want. */
export function formatDelta(from: bigint, to: bigint, exact = true): string {
  const ns = to - from;
  if (ns === 0n) return '0';
  const sign = ns < 0n ? '−' : '+';
  const size = ns < 0n ? -ns : ns;
  const [unit, scale] = UNITS.find(([, each]) => size >= BigInt(each)) ?? UNITS[3];
  const whole = size / BigInt(scale);
  const rest = (size % BigInt(scale)).toString().padStart(String(scale).length - 1, '0');
  const fraction = scale === 1 ? '' : exact ? rest.replace(/0+$/, '') : rest;
  return `${sign}${grouped(whole)}${fraction === '' ? '' : `.${fraction}`} ${unit}`;
}

/** What a person writes for an instant: `1.5s`, `20ms`, or seconds without a unit. */
export function parseAt(text: string): bigint | undefined {
  const plain = text.replaceAll(/[\s\u202f]/g, '');
  return parseDuration(/[a-zµ]$/.test(plain) ? plain : `${plain}s`);
}

/** Where an axis has its ticks. */
export interface AxisTicks {
  /** What the labels count from; 0n: they are whole instants. */
  readonly base: bigint;
  readonly ticks: readonly { readonly at: bigint; readonly label: string }[];
}

/**
 * Ticks at round instants from `from` to `to`, `step` ns apart or a little more.
 *
 * Where the ticks are less than a millisecond apart they count from a round instant before them, that is given apart: the
 * instant itself would be too long to read.
 */
export function axisTicks(from: bigint, to: bigint, least: number): AxisTicks {
  let step = 1n;
  for (const factor of steps()) {
    step = factor;
    if (Number(step) >= least) break;
  }
  const coarse = step >= 1_000_000n;
  const period = step * 1000n;
  const start = from < 0n ? 0n : from;
  const base = coarse ? 0n : start - (start % period);
  const ticks: { at: bigint; label: string }[] = [];
  let at = start - (start % step);
  for (let count = 0; at <= to && count < 200; at += step, count++) {
    ticks.push({ at, label: coarse ? formatSeconds(at, step) : formatDelta(base, at) });
  }
  return { base, ticks };
}

function* steps(): Generator<bigint> {
  for (let power = 1n; power < 10n ** 19n; power *= 10n) yield* [power, 2n * power, 5n * power];
}

/** Seconds with as many decimals as the step needs. */
function formatSeconds(at: bigint, step: bigint): string {
  let decimals = 9;
  while (decimals > 0 && step % 10n ** BigInt(10 - decimals) === 0n) decimals--;
  const fraction = (at % SECOND).toString().padStart(9, '0').slice(0, decimals);
  return `${grouped(at / SECOND)}${decimals > 0 ? `.${fraction}` : ''} s`;
}
