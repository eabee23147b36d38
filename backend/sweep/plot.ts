// SPDX-License-Identifier: MIT
import { figure } from './figures.js';
import { escapeMarkup, shorten } from './markup.js';
import { printable } from './printable.js';
import { makeScale, type Scale } from './scale.js';

/** Colours that a page has classes for: s0 and so on. */
export const COLOURS = 8;

/** A mean, with half the width of its confidence interval where that is known. */
export interface Point {
  readonly mean: number;
  readonly half: number | null;
}

export interface Line {
  readonly label: string;
  readonly points: readonly (Point & { readonly x: number })[];
}

export interface Bar extends Point {
  readonly label: string;
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 72;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 48;
/** Between the axis and the first mark. */
const INSET = 14;
/** Marks of different lines at one place stand this far apart, and no wider than that in all. */
const APART = 4;
const SPREAD = 16;
const BAR = 22;
const LABEL = 200;
const MAX_LABEL = 28;

/** Means against a number, with error bars, and a line for each of `lines`; as an element svg. */
export function linePlot(title: string, xName: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const x = scaleOver(
    points.map((point) => point.x),
    8,
  );
  const y = scaleOver(points.flatMap(ends), 6);
  const toX = (value: number) => round(LEFT + INSET + x.place(value) * (WIDTH - LEFT - RIGHT - 2 * INSET));
  const toY = (value: number) => round(HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM));
  const floor = HEIGHT - BOTTOM;
  const apart = Math.min(APART, SPREAD / lines.length);
  return svg(title, HEIGHT, [
    ...y.ticks.flatMap(({ value, label }) => [
      `<path class="grid" d="M${LEFT} ${toY(value)}H${WIDTH - RIGHT}"/>`,
      `<text class="end" x="${LEFT - 8}" y="${toY(value) + 4}">${label}</text>`,
    ]),
    ...x.ticks.flatMap(({ value, label }) => [
      `<path class="grid" d="M${toX(value)} ${floor}v5"/>`,
      `<text class="middle" x="${toX(value)}" y="${floor + 19}">${label}</text>`,
    ]),
    `<path class="axis" d="M${LEFT} ${TOP}V${floor}H${WIDTH - RIGHT}"/>`,
    `<text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}">${text(xName)}</text>`,
    ...lines.map((line, place) => {
      const shift = (place - (lines.length - 1) / 2) * apart;
      return series(line, place, (value) => round(toX(value) + shift), toY);
    }),
  ]);
}

function series(
  { label, points }: Line,
  place: number,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const path = sorted.map(({ x, mean }) => `${toX(x)} ${toY(mean)}`).join('L');
  const marks = sorted.map((point) => {
    const x = toX(point.x);
    const [low, high] = ends(point).map(toY) as [number, number];
    const bar = low === high ? '' : `<path d="M${x - 4} ${low}h8m-4 0V${high}m-4 0h8"/>`;
    const told = `${label === '' ? '' : `${label}, `}${point.x}: ${described(point)}`;
    return `<g><title>${text(told)}</title>${bar}<circle cx="${x}" cy="${toY(point.mean)}" r="3.5"/></g>`;
  });
  const line = sorted.length > 1 ? `<path class="line" d="M${path}"/>` : '';
  return `<g class="${seriesClass(place)}">${line}${marks.join('')}</g>`;
}

/** A bar for each of `bars`, from 0, with error bars; as an element svg. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const scale = scaleOver([0, ...bars.flatMap(ends)], 6);
  const floor = TOP + bars.length * BAR + 4;
  const toX = (value: number) => round(LABEL + scale.place(value) * (WIDTH - LABEL - RIGHT));
  const zero = toX(0);
  return svg(title, floor + 28, [
    ...scale.ticks.flatMap(({ value, label }) => [
      `<path class="grid" d="M${toX(value)} ${TOP}V${floor}"/>`,
      `<text class="middle" x="${toX(value)}" y="${floor + 17}">${label}</text>`,
    ]),
    ...bars.map((bar, place) => {
      const y = TOP + place * BAR;
      const x = toX(bar.mean);
      const [low, high] = ends(bar).map(toX) as [number, number];
      const middle = y + BAR / 2;
      const error = low === high ? '' : `<path d="M${low} ${middle - 4}v8m0 -4H${high}m0 -4v8"/>`;
      return [
        `<g class="s0"><title>${text(`${bar.label}: ${described(bar)}`)}</title>`,
        `<text class="end" x="${LABEL - 8}" y="${middle + 4}">${text(shorten(bar.label, MAX_LABEL))}</text>`,
        `<rect x="${Math.min(x, zero)}" y="${y + 3}" width="${round(Math.abs(x - zero))}" height="${BAR - 6}"/>`,
        `<g class="error">${error}</g></g>`,
      ].join('');
    }),
    `<path class="axis" d="M${zero} ${TOP}V${floor}"/>`,
  ]);
}

/** The classes of a line: when the colours are used up, they come again with dashes. */
export function seriesClass(place: number): string {
  const dashes = Math.floor(place / COLOURS) % 3;
  return `s${place % COLOURS}${dashes === 0 ? '' : ` d${dashes}`}`;
}

function svg(title: string, height: number, content: readonly string[]): string {
  const label = text(title);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">${content.join('\n')}</svg>`;
}

/** Of the error bar. */
function ends({ mean, half }: Point): [number, number] {
  const reach = half !== null && Number.isFinite(half) ? half : 0;
  return [mean - reach, mean + reach];
}

function described({ mean, half }: Point): string {
  const shown = figure(mean, half);
  return half === null ? shown : `${shown} ± ${figure(half, half)}`;
}

/** From 0, where that costs little of the room. */
function scaleOver(values: readonly number[], count: number): Scale {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > 0 && low < high / 3) return makeScale(0, high, count);
  return makeScale(low, high, count);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(value: string): string {
  return escapeMarkup(printable(value));
}
