// SPDX-License-Identifier: MIT
import type { Spans } from '../model/spans.js';
import { originOf } from '../model/times.js';
import type { Viewport } from '../model/viewport.js';
import type { Theme } from './theme.js';

interface Place {
  readonly top: number;
  readonly height: number;
  /** Where the run has come to, in nanoseconds from the left edge. */
  readonly now: number;
}

/** Draws a wire as a logic analyser shows it. */
export function drawLevels(
  context: CanvasRenderingContext2D,
  view: Viewport,
  theme: Theme,
  high: Spans,
  { top, height, now }: Place,
): void {
  const low = Math.round(top + height) - 0.5;
  const up = Math.round(top) + 0.5;
  context.strokeStyle = theme.of('signal');
  context.lineWidth = 1;
  const busy: [number, number][] = [];
  context.beginPath();
  const begin = Math.max(0, view.x(0n));
  context.moveTo(begin, low);
  const origin = originOf(view.start);
  const x = (since: number) => (since - view.fraction) / view.perPixel;
  let index = Math.max(0, high.firstEndingFrom(origin, view.fraction));
  if (high.open) index = Math.min(index, high.length - 1);
  let last = x(now);
  while (index < high.length) {
    const from = x(high.starts.since(origin, index));
    if (from > view.width) break;
    const open = high.open && index === high.length - 1;
    const to = x(open ? now : high.ends.since(origin, index));
    const next = high.starts.gallop(origin, (Math.floor(from) + 2) * view.perPixel + view.fraction, index);
    if (next - index > 2) {
      const until = x(high.ends.since(origin, next - 1));
      busy.push([from, Math.max(until - from, 1)]);
      context.lineTo(from, low);
      context.moveTo(until, low);
      index = next;
      continue;
    }
    const [left, right] = [Math.max(-2, from), Math.min(view.width + 2, to)];
    context.lineTo(left, low);
    context.lineTo(left, up);
    context.lineTo(right, up);
    if (!open) context.lineTo(right, low);
    else last = Number.NaN;
    index++;
  }
  if (!Number.isNaN(last)) context.lineTo(Math.min(last, view.width + 2), low);
  context.stroke();
  context.fillStyle = theme.faint('signal', 0.55);
  for (const [from, width] of busy) context.fillRect(from, up, width, low - up);
  context.fillStyle = theme.faint('signal', 0.14);
  fillHigh(context, view, high, { x, y: up, height: low - up, now });
}

/** The shade under what is high. */
function fillHigh(
  context: CanvasRenderingContext2D,
  view: Viewport,
  high: Spans,
  place: { x(since: number): number; readonly y: number; readonly height: number; readonly now: number },
): void {
  const { x, y, height, now } = place;
  const origin = originOf(view.start);
  let index = Math.max(0, high.firstEndingFrom(origin, view.fraction));
  if (high.open) index = Math.min(index, high.length - 1);
  for (let count = 0; index < high.length && count < 2000; index++, count++) {
    const from = Math.max(0, x(high.starts.since(origin, index)));
    if (from > view.width) return;
    const open = high.open && index === high.length - 1;
    const to = Math.min(view.width, x(open ? now : high.ends.since(origin, index)));
    if (to - from > 1) context.fillRect(from, y, to - from, height);
  }
}
