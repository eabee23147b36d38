// SPDX-License-Identifier: MIT

import type { Ticks } from '../model/run-model.js';
import type { Series } from '../model/series.js';
import { formatSpan } from '../model/time-text.js';
import { originOf } from '../model/times.js';
import { el, sized } from './dom.js';
import type { ShownRun, State } from './state.js';
import { part } from './statistics-tab.js';
import type { ColourName, Theme } from './theme.js';
import { LABEL } from './timeline.js';

const HEIGHT = 58;
const BAR = 24;

/** Curves over virtual time, under the timeline and with the same axis; and how far boards' clocks were apart. */
export class PlotsTab {
  private readonly canvas = el('canvas', { id: 'plots', role: 'img' });

  constructor(
    private readonly state: State,
    private readonly theme: Theme,
  ) {}

  render(): HTMLElement {
    return this.canvas;
  }

  /** The page knows only now how wide it is. */
  draw(): void {
    const { state, canvas } = this;
    const width = canvas.parentElement?.clientWidth ?? 0;
    if (width === 0) return;
    const plots = state.runs.flatMap((run, index) => this.plots(run, index));
    const skews = state.runs.flatMap((run) => skewsOf(run));
    const height = plots.length * HEIGHT + (skews.length > 0 ? 26 + skews.length * BAR : 0) + 8;
    canvas.style.height = `${height}px`;
    canvas.setAttribute(
      'aria-label',
      `Plots over virtual time: ${plots.map(({ name }) => name).join(', ')}. ${skews
        .map(
          ({ name, mean, max }) => `${name}: skew ${formatSpan(mean)} on average, ${formatSpan(max)} at most`,
        )
        .join('. ')}`,
    );
    const context = sized(canvas, width, height);
    context.clearRect(0, 0, width, height);
    for (const [index, plot] of plots.entries()) this.plot(context, plot, index * HEIGHT, width);
    this.skews(context, skews, plots.length * HEIGHT, width);
    if (state.cursor !== undefined) {
      const x = LABEL + state.view.x(state.cursor);
      context.fillStyle = this.theme.of('accent');
      if (x > LABEL) context.fillRect(x - 0.75, 0, 1.5, plots.length * HEIGHT);
    }
  }

  private plots(run: ShownRun, index: number): Plot[] {
    const side = this.state.runs.length === 2 ? `${'AB'[index]}: ` : '';
    const { model } = run;
    const { view } = this.state;
    const all: Ticks = { times: model.log.times, events: model.log.nodes };
    const plots: Plot[] = [];
    for (const series of run.series)
      plots.push(curve(`${side}${series.name}`, series, view.width, this.state));
    plots.push(rate(`${side}events`, [all], index === 0 ? 'running' : 'running-b', this.state));
    const frames = model.tracks.nodes.map(({ ticks }) => ticks.frame);
    if (frames.some(({ events }) => events.length > 0))
      plots.push(rate(`${side}frames`, frames, 'frame', this.state));
    const consoles = model.tracks.nodes.map(({ ticks }) => ticks.console);
    if (consoles.some(({ events }) => events.length > 0))
      plots.push(rate(`${side}console`, consoles, 'console', this.state));
    return plots;
  }

  private plot(context: CanvasRenderingContext2D, plot: Plot, y: number, width: number): void {
    const { theme } = this;
    const high = HEIGHT - 14;
    const bottom = y + HEIGHT - 6;
    context.font = theme.sans;
    context.fillStyle = theme.of('text');
    context.fillText(plot.name, 24, y + 22, LABEL - 34);
    context.font = theme.small;
    context.fillStyle = theme.of('muted');
    context.fillText(`up to ${plot.most}`, 24, y + 38, LABEL - 34);
    context.fillStyle = theme.of('line');
    context.fillRect(0, y + HEIGHT - 1, width, 1);
    context.save();
    context.beginPath();
    context.rect(LABEL, y, width - LABEL, HEIGHT);
    context.clip();
    const top = Math.max(plot.scale, Number.MIN_VALUE);
    context.beginPath();
    context.moveTo(LABEL, bottom);
    plot.values.forEach((value, x) => {
      const level = bottom - (value / top) * high;
      context.lineTo(LABEL + x, level);
      context.lineTo(LABEL + x + 1, level);
    });
    context.lineTo(LABEL + plot.values.length, bottom);
    context.fillStyle = theme.faint(plot.colour, 0.25);
    context.fill();
    context.strokeStyle = theme.of(plot.colour);
    context.lineWidth = 1;
    context.stroke();
    context.restore();
  }

  private skews(context: CanvasRenderingContext2D, skews: readonly Skew[], y: number, width: number): void {
    if (skews.length === 0) return;
    const { theme } = this;
    context.font = theme.bold;
    context.fillStyle = theme.of('muted');
    context.fillText('Skew of the boards’ clocks: mean, 99 of 100, most', 12, y + 18);
    const most = Math.max(...skews.map(({ max }) => max), 1);
    const room = width - LABEL - 90;
    skews.forEach(({ name, mean, p99, max }, index) => {
      const at = y + 26 + index * BAR;
      context.font = theme.sans;
      context.fillStyle = theme.of('text');
      context.fillText(name, 24, at + 16, LABEL - 34);
      [max, p99, mean].forEach((value, shade) => {
        context.fillStyle = theme.faint('frozen', [0.25, 0.5, 1][shade] ?? 1);
        context.fillRect(LABEL, at + 5, (value / most) * room, 13);
      });
      context.font = theme.small;
      context.fillStyle = theme.of('muted');
      context.fillText(formatSpan(max), LABEL + (max / most) * room + 6, at + 15);
    });
  }
}

interface Plot {
  readonly name: string;
  /** The greatest value, in words. */
  readonly most: string;
  readonly scale: number;
  /** One for each pixel. */
  readonly values: Float64Array;
  readonly colour: ColourName;
}

interface Skew {
  readonly name: string;
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** How many events there are in each pixel. */
function rate(name: string, lists: readonly Ticks[], colour: ColourName, { view }: State): Plot {
  const width = Math.max(1, Math.floor(view.width));
  const values = new Float64Array(width);
  const origin = view.origin;
  for (const { times } of lists) {
    let from = times.gallop(origin, view.fraction, 0);
    while (from < times.length) {
      const x = Math.floor((times.since(origin, from) - view.fraction) / view.perPixel);
      if (x >= width) break;
      const next = Math.max(from + 1, times.gallop(origin, (x + 1) * view.perPixel + view.fraction, from));
      values[Math.max(0, x)] = (values[Math.max(0, x)] as number) + next - from;
      from = next;
    }
  }
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  return { name, values, scale: most, colour, most: `${most} in ${formatSpan(view.perPixel)}` };
}

/** The greatest value of a series in each pixel; each value holds until the next. */
function curve(name: string, series: Series, pixels: number, { view }: State): Plot {
  const width = Math.max(1, Math.floor(pixels));
  const values = new Float64Array(width);
  const { times } = series;
  const origin = originOf(view.start);
  let index = Math.max(0, times.gallop(origin, view.fraction, 0) - 1);
  for (let x = 0; x < width && times.length > 0; x++) {
    const next = times.gallop(origin, (x + 1) * view.perPixel + view.fraction, index);
    let most = times.since(origin, index) <= (x + 1) * view.perPixel ? series.values.at(index) : 0;
    // Of many in a pixel some are enough.
    const step = Math.max(1, Math.floor((next - index) / 64));
    for (let each = index; each < next; each += step) most = Math.max(most, series.values.at(each));
    values[x] = most;
    index = Math.max(index, next - 1);
  }
  const scale = values.reduce((a, b) => Math.max(a, b), 0);
  return { name, values, scale, colour: 'signal', most: series.format(scale) };
}

function skewsOf({ model, result }: ShownRun): Skew[] {
  return model.tracks.nodes.flatMap(({ name }) => {
    const [mean, p99, max] = ['mean', 'p99', 'max'].map((which) =>
      part(result, 'nodes', name, 'skewNs', which),
    );
    if (typeof mean !== 'number' || typeof p99 !== 'number' || typeof max !== 'number') return [];
    return [{ name, mean, p99, max }];
  });
}
