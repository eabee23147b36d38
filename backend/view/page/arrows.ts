// SPDX-License-Identifier: MIT
import type { RunModel } from '../model/run-model.js';
import type { State } from './state.js';
import type { Theme } from './theme.js';

/** Arrows of more frames than these are not drawn: they would hide each other. */
const MAX_ARROWS = 800;

/** Whether the frames in sight have arrows. */
export type ArrowsShown = 'all' | 'none' | 'too many';

export interface Places {
  /** Of the canvas. */
  readonly height: number;
  /** By node: where its events are drawn; undefined where it has no row. */
  centresOf(model: RunModel, run: number): readonly (number | undefined)[];
}

/** Draws frames on their way, from the row of the sender to that of the receiver. */
export function drawArrows(
  context: CanvasRenderingContext2D,
  state: State,
  theme: Theme,
  { height, centresOf }: Places,
): ArrowsShown {
  const { view } = state;
  let shown: ArrowsShown = 'none';
  state.runs.forEach(({ model }, run) => {
    const { pairs, log } = model;
    if (pairs === undefined || pairs.to.length === 0) return;
    const centres = centresOf(model, run);
    const origin = view.origin;
    const first = firstPair(model, view.fraction, origin);
    const limit = view.width * view.perPixel + view.fraction + pairs.longest;
    const last = firstPair(model, limit, origin, first);
    if (last - first > MAX_ARROWS * 4) {
      shown = 'too many';
      return;
    }
    const x = (event: number) => (log.times.since(origin, event) - view.fraction) / view.perPixel;
    context.lineWidth = 1;
    context.strokeStyle = theme.faint('frame', last - first > 300 ? 0.4 : 0.6);
    context.beginPath();
    const heads: [number, number, number, number][] = [];
    let drawn = 0;
    for (let pair = first; pair < last && drawn < MAX_ARROWS; pair++) {
      const [from, to] = [pairs.from.at(pair), pairs.to.at(pair)];
      const [x0, x1] = [x(from), x(to)];
      const y0 = centres[log.nodes.at(from)];
      const y1 = centres[log.nodes.at(to)];
      if (x0 > view.width || y0 === undefined || y1 === undefined) continue;
      if (Math.max(y0, y1) < -40 || Math.min(y0, y1) > height + 40) continue;
      drawn++;
      // Of many frames those that would be upright lines are left out: they would hide all else.
      if (last - first > 150 && x1 - x0 < 2) continue;
      const bend = Math.min(60, Math.max((x1 - x0) / 2, 0));
      context.moveTo(x0, y0);
      if (last - first > 300) context.lineTo(x1, y1);
      else context.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
      if (last - first <= 400) heads.push([x1, y1, bend, Math.sign(y1 - y0)]);
      if (state.chosen?.run === run && (state.chosen.event === from || state.chosen.event === to)) {
        context.stroke();
        context.save();
        context.lineWidth = 2.5;
        context.strokeStyle = theme.of('accent');
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
        context.stroke();
        context.restore();
        context.beginPath();
      }
    }
    context.stroke();
    context.fillStyle = theme.of('frame');
    context.beginPath();
    for (const [x1, y1, bend, way] of heads) {
      if (bend > 6) {
        context.moveTo(x1, y1);
        context.lineTo(x1 - 6, y1 - 3);
        context.lineTo(x1 - 6, y1 + 3);
      } else {
        context.moveTo(x1, y1);
        context.lineTo(x1 - 3, y1 - 6 * way);
        context.lineTo(x1 + 3, y1 - 6 * way);
      }
    }
    context.fill();
    if (drawn > 0) shown = 'all';
  });
  return shown;
}

/** The first pair of frames that arrived `offset` ns after the origin or later. */
function firstPair(
  { pairs, log }: RunModel,
  offset: number,
  origin: { hi: number; lo: number },
  from = 0,
): number {
  let [low, high] = [from, pairs?.to.length ?? 0];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.times.since(origin, pairs?.to.at(middle) ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
