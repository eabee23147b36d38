// SPDX-License-Identifier: MIT
import type { Spread } from './spread.js';

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
  /** `x` above zero. Bars show the least and the most. */
  readonly points: readonly { readonly x: number; readonly y: Spread }[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 460;
const LEFT = 64;
const RIGHT = WIDTH - 24;
const TOP = 106;
const BOTTOM = HEIGHT - 56;
const TICKS = 6;
/** Room for the names of the series, two in a row. */
const LEGEND = { x: LEFT, y: 56, columnWidth: 320, rowHeight: 22 };

/** Draws lines over a logarithmic axis of x and one of y that begins at zero. @returns SVG */
export function plot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((line) => line.points);
  const places = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const [least, most] = [places[0] ?? 1, places.at(-1) ?? 1];
  const step = niceStep(Math.max(...points.map((point) => point.y.max)) / TICKS);
  const top = step * Math.ceil(Math.max(...points.map((point) => point.y.max)) / step);
  const atX = (value: number) =>
    round(LEFT + 24 + ((RIGHT - LEFT - 48) * Math.log(value / least)) / (Math.log(most / least) || 1));
  const atY = (value: number) => round(BOTTOM - ((BOTTOM - TOP) * value) / top);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, place) => place * step);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 30, title, 'font-size="16" font-weight="bold"'),
    ...series.flatMap((line, place) => legend(line, place)),
    ...ticks.flatMap((value) => [
      `<path d="M${LEFT} ${atY(value)}H${RIGHT}" stroke="${value === 0 ? '#444' : '#ddd'}"/>`,
      text(LEFT - 8, atY(value) + 4, String(value), 'text-anchor="end"'),
    ]),
    ...places.flatMap((value) => [
      `<path d="M${atX(value)} ${BOTTOM}v5" stroke="#444"/>`,
      text(atX(value), BOTTOM + 20, String(value), 'text-anchor="middle"'),
    ]),
    text((LEFT + RIGHT) / 2, HEIGHT - 14, x, 'text-anchor="middle"'),
    text(0, 0, y, `transform="translate(18 ${(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle"`),
    ...series.flatMap((line) => draw(line, atX, atY)),
    '</svg>\n',
  ].join('\n');
}

/** The least of 1, 2 and 5 times a power of ten that is not below `value`. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (([1, 2, 5] as const).find((factor) => factor * power >= value) ?? 10) * power;
}

function draw({ color, points, ...line }: Series, atX: Scale, atY: Scale): string[] {
  const path = points.map(({ x, y }) => `${atX(x)} ${atY(y.median)}`).join('L');
  return [
    `<path d="M${path}" fill="none" stroke="${color}" stroke-width="2"${dashes(line)}/>`,
    ...points.map(
      ({ x, y }) => `<path d="M${atX(x)} ${atY(y.min)}V${atY(y.max)}" stroke="${color}" stroke-width="1"/>`,
    ),
    ...points.map(({ x, y }) => `<circle cx="${atX(x)}" cy="${atY(y.median)}" r="3.5" fill="${color}"/>`),
  ];
}

function legend({ name, color, ...line }: Series, place: number): string[] {
  const x = LEGEND.x + (place % 2) * LEGEND.columnWidth;
  const y = LEGEND.y + Math.floor(place / 2) * LEGEND.rowHeight;
  return [
    `<path d="M${x} ${y}h36" stroke="${color}" stroke-width="2"${dashes(line)}/>`,
    `<circle cx="${x + 18}" cy="${y}" r="3.5" fill="${color}"/>`,
    text(x + 46, y + 4, name),
  ];
}

type Scale = (value: number) => number;

const dashes = ({ dashed = false }: { readonly dashed?: boolean }) =>
  dashed ? ' stroke-dasharray="6 4"' : '';

const round = (value: number) => Math.round(value * 10) / 10;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escaped(content: string): string {
  return content.replace(/[&<>]/g, (character) => ENTITIES[character] as string);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;
}
