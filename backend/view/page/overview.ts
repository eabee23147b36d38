// SPDX-License-Identifier: MIT
import { axisTicks, formatAt } from '../model/time-text.js';
import type { Viewport } from '../model/viewport.js';
import { byId, sized } from './dom.js';
import type { ShownRun, State } from './state.js';
import type { Theme } from './theme.js';

/** The least distance of two ticks, in pixels. */
const TICK = 110;

/** The whole run in one strip: how much happens when, faults and findings, and which part of it is in sight. */
export class Overview {
  private readonly canvas = byId<HTMLCanvasElement>('overview');
  private counts: Float64Array[] = [];
  private key = '';

  constructor(
    private readonly state: State,
    private readonly theme: Theme,
  ) {
    let grip: number | undefined;
    const at = (event: PointerEvent) => this.at(event.offsetX);
    this.canvas.addEventListener('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      const { view } = state;
      const [from, to] = [this.x(view.start), this.x(view.end)];
      const inside = event.offsetX >= from - 3 && event.offsetX <= to + 3;
      grip = inside ? event.offsetX - (from + to) / 2 : 0;
      state.follow = false;
      this.centre(event.offsetX - grip);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (grip !== undefined) this.centre(event.offsetX - grip);
      this.canvas.title = formatAt(at(event));
    });
    const drop = () => {
      grip = undefined;
    };
    this.canvas.addEventListener('pointerup', drop);
    this.canvas.addEventListener('pointercancel', drop);
  }

  draw(): void {
    const { theme, state } = this;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const context = sized(this.canvas, width, height);
    context.clearRect(0, 0, width, height);
    this.count(width);
    const lane = (height - 8) / this.counts.length;
    this.counts.forEach((counts, run) => {
      const most = Math.max(1, ...counts);
      context.fillStyle = theme.faint(run === 0 ? 'running' : 'running-b', 0.65);
      counts.forEach((count, x) => {
        if (count === 0) return;
        const bar = Math.max(1, Math.sqrt(count / most) * lane * 0.92);
        context.fillRect(x, 4 + (run + 1) * lane - bar, 1, bar);
      });
    });
    state.runs.forEach(({ model }) => {
      const { times, events } = model.flags;
      let drawn = -2;
      for (let index = 0; index < times.length; index++) {
        const x = this.x(times.at(index));
        if (x - drawn < 2) continue;
        drawn = x;
        const fault = model.log.kinds.at(events.at(index)) === 12;
        context.fillStyle = theme.of(fault ? 'fault' : 'state');
        context.fillRect(x - 1, 0, 2, 5);
      }
    });
    context.fillStyle = theme.of('match');
    let drawn = -2;
    for (const at of state.matches) {
      const x = this.x(at);
      if (x - drawn < 1) continue;
      drawn = x;
      context.fillRect(x - 0.5, height - 6, 1.5, 6);
    }
    const { view } = state;
    const [from, to] = [Math.max(0, this.x(view.start)), Math.min(width, this.x(view.end))];
    context.fillStyle = theme.faint('ground', 0.72);
    context.fillRect(0, 0, from, height);
    context.fillRect(to, 0, width - to, height);
    context.strokeStyle = theme.of('accent');
    context.lineWidth = 1.5;
    const brush = Math.max(to - from, 3);
    context.strokeRect(Math.min(from, width - brush) + 0.75, 0.75, brush - 1.5, height - 1.5);
    if (state.divergence !== undefined) {
      context.fillStyle = theme.of('fault');
      context.fillRect(this.x(state.divergence) - 1, 0, 2, height);
    }
    if (state.cursor !== undefined) {
      context.fillStyle = theme.of('accent');
      context.fillRect(this.x(state.cursor) - 0.5, 0, 1.5, height);
    }
  }

  /** How many events are in each pixel, counted again only where there are more. */
  private count(width: number): void {
    const { state } = this;
    const key = `${width} ${state.view.total} ${state.runs.map(({ model }) => model.log.length).join()}`;
    if (key === this.key) return;
    this.key = key;
    this.counts = state.runs.map(({ model }) => {
      const { times } = model.log;
      const counts = new Float64Array(width);
      let from = 0;
      for (let x = 0; x < width; x++) {
        const to = times.gallop({ hi: 0, lo: 0 }, ((x + 1) / width) * Number(state.view.total), from);
        counts[x] = to - from;
        from = to;
      }
      return counts;
    });
  }

  private centre(x: number): void {
    const { state } = this;
    const span = BigInt(Math.round(state.view.span));
    const centre = this.at(x);
    if (Number(span) >= Number(state.view.total)) return;
    state.view.start = centre - span / 2n;
    state.view.fraction = 0;
    state.view.pan(0);
    state.changed();
  }

  private x(at: bigint): number {
    return (Number(at) / Number(this.state.view.total)) * this.canvas.clientWidth;
  }

  private at(x: number): bigint {
    const width = this.canvas.clientWidth;
    return (this.state.view.total * BigInt(Math.round(Math.max(0, Math.min(width, x))))) / BigInt(width || 1);
  }
}

/** Draws the axis of virtual time, with the time of the cursor and of the pointer on it. */
export function drawAxis(state: State, theme: Theme): void {
  const canvas = byId<HTMLCanvasElement>('axis');
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = sized(canvas, width, height);
  const { view } = state;
  context.clearRect(0, 0, width, height);
  context.font = theme.small;
  context.textBaseline = 'middle';
  const { base, ticks } = axisTicks(view.start, view.end, view.perPixel * TICK);
  byId('base').textContent =
    base === 0n ? 'virtual time' : `${formatAt(base).replace(/\.?[0\u202f]+ s$/, ' s')} +`;
  for (const { at, label } of ticks) {
    const x = Math.round(view.x(at));
    context.fillStyle = theme.of('line');
    context.fillRect(x, height - 8, 1, 8);
    if (x < -4) continue;
    context.fillStyle = theme.of('muted');
    context.fillText(label, x + 5, height / 2 - 1);
  }
  const tag = (at: bigint, colour: string, ground: string) => {
    const text = formatAt(at);
    const size = context.measureText(text).width + 12;
    const x = Math.max(0, Math.min(width - size, view.x(at) - size / 2));
    context.fillStyle = ground;
    context.beginPath();
    context.roundRect(x, 3, size, height - 7, 4);
    context.fill();
    context.fillStyle = colour;
    context.fillText(text, x + 6, height / 2);
  };
  const near = state.cursor !== undefined && Math.abs(view.x(state.cursor) - (state.hover ?? 0)) < 130;
  if (state.hover !== undefined && !near) tag(view.at(state.hover), theme.of('text'), theme.of('raised'));
  if (state.cursor !== undefined && inSight(view, state.cursor))
    tag(state.cursor, theme.of('surface'), theme.of('accent'));
}

function inSight(view: Viewport, at: bigint): boolean {
  const x = view.x(at);
  return x >= -1 && x <= view.width + 1;
}

/** The last instant of the longest run. */
export function endOf(runs: readonly ShownRun[]): bigint {
  return runs.reduce((end, { model }) => (model.end > end ? model.end : end), 1n);
}
