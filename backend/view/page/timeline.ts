// SPDX-License-Identifier: MIT
import { RecordField } from '../../../protocols/trace/constants.js';
import {
  CLASSES,
  classOf,
  type EventClass,
  type RunModel,
  type Ticks,
  type Track,
} from '../model/run-model.js';
import type { Spans } from '../model/spans.js';
import { type ArrowsShown, drawArrows } from './arrows.js';
import { sized } from './dom.js';
import { drawLevels } from './levels.js';
import { heightOf, laneTop, type Row, rowAt } from './rows.js';
import { shortText } from './short-text.js';
import type { ShownRun, State } from './state.js';
import { Strips } from './strips.js';
import type { ColourName, Theme } from './theme.js';

/** Width of the rows' labels; the style sheet has the same. */
export const LABEL = 208;
/** Events of a lane that are drawn by themselves; more become a strip. */
const MAX_GLYPHS = 240;
/** Classes of which there are many. */
const COMMON = ['frame', 'console', 'signal'] as const;
/** Where the events of a node's lane are, from its top: under its spans. */
const EVENTS = 25;
/** Text beside an event needs this much room. */
const LEAST_TEXT = 34;

/** Draws the rows that are in sight. */
export class Timeline {
  /** Whether the frames in sight have arrows. */
  arrows: ArrowsShown = 'none';
  private readonly strips = new Strips();
  private context: CanvasRenderingContext2D;
  private height = 1;
  private paths = newPaths();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly state: State,
    private readonly theme: Theme,
  ) {
    this.context = sized(canvas, 1, 1);
  }

  /** @param top how far the rows are scrolled up */
  draw(width: number, height: number, top: number): void {
    const { state, theme } = this;
    this.context = sized(this.canvas, width, height);
    this.height = height;
    const { context } = this;
    context.fillStyle = theme.of('ground');
    context.fillRect(0, 0, width, height);
    const first = rowAt(state.rows, top);
    if (first === undefined) return;
    const rows: { row: Row; index: number; y: number }[] = [];
    for (let index = first; index < state.rows.length; index++) {
      const row = state.rows[index] as Row;
      if (row.top - top >= height) break;
      rows.push({ row, index, y: row.top - top });
    }
    context.save();
    context.translate(LABEL, 0);
    context.beginPath();
    context.rect(0, 0, width - LABEL, height);
    context.clip();
    for (const { row, index, y } of rows) this.background(row, index, y);
    this.grid();
    this.strips.begin(state.view);
    for (const { row, y } of rows) this.stripsOf(row, y);
    this.strips.draw(context, 0, width - LABEL);
    this.arrows = drawArrows(context, state, theme, {
      height,
      centresOf: (model, run) => this.centres(model, run, top),
    });
    this.paths = newPaths();
    for (const { row, y } of rows) this.glyphsOf(row, y);
    this.fillGlyphs();
    this.lines();
    context.restore();
    for (const { row, index, y } of rows) this.label(row, index, y);
    context.fillStyle = theme.of('line');
    context.fillRect(LABEL - 1, 0, 1, height);
    const end = heightOf(state.rows) - top;
    if (end < height) context.fillRect(0, end, width, 1);
  }

  /** The event nearest to a place, not more than `reach` pixels away. */
  hit(x: number, y: number, top: number, reach = 7): { run: number; event: number; row: number } | undefined {
    const { state } = this;
    const index = rowAt(state.rows, y + top);
    const row = index === undefined ? undefined : state.rows[index];
    if (row === undefined || index === undefined) return undefined;
    const run = row.lanes.findIndex((_, lane) => {
      const from = row.top - top + laneTop(row, lane);
      return y < from + row.laneHeight || lane === row.lanes.length - 1;
    });
    const track = row.lanes[run];
    if (track === undefined) return undefined;
    const near = nearest(track, state.view.at(x), (at) => Math.abs(state.view.x(at) - x));
    if (near === undefined || near.distance > reach) return undefined;
    return { run, event: near.event, row: index };
  }

  private background(row: Row, index: number, y: number): void {
    const { context, theme, state } = this;
    const width = state.view.width;
    if (row.kind === 'group') {
      context.fillStyle = theme.of('raised');
      context.fillRect(0, y, width, row.height);
      return;
    }
    if (index === state.row) {
      context.fillStyle = theme.faint('accent', 0.07);
      context.fillRect(0, y, width, row.height);
    }
    context.fillStyle = theme.faint('line', 0.6);
    context.fillRect(0, y + row.height - 1, width, 1);
  }

  /** What is before the run and behind it, and the lines at which it begins and ends. */
  private grid(): void {
    const { context, theme, state, height } = this;
    const [from, to] = [state.view.x(0n), state.view.x(state.view.total)];
    context.fillStyle = theme.faint('gone', 0.1);
    if (from > 0) context.fillRect(0, 0, from, height);
    if (to < state.view.width) context.fillRect(to, 0, state.view.width - to, height);
    context.fillStyle = theme.of('line');
    if (from >= 0) context.fillRect(Math.round(from), 0, 1, height);
    if (to <= state.view.width) context.fillRect(Math.round(to), 0, 1, height);
  }

  private stripsOf(row: Row, y: number): void {
    const { theme, strips, state } = this;
    row.lanes.forEach((track, run) => {
      if (track === undefined) return;
      const top = y + laneTop(row, run);
      const { view } = state;
      const now = Number((state.runs[run] as ShownRun).model.end - view.start);
      const running = theme.word(run === 0 ? 'running' : 'running-b');
      switch (row.kind) {
        case 'node': {
          this.baseline(top + 8);
          if (strips.strip(top + 3, 11)) {
            strips.spans(track.gone, theme.word('gone'), 0.22, now);
            strips.spans(track.running, running, 1, now);
            strips.spans(track.frozen, theme.word('frozen'), 0.75, now);
          }
          this.tickStrip(track, top + 18, 14);
          break;
        }
        case 'wire':
          drawLevels(this.context, view, theme, track.high, {
            top: top + 4,
            height: row.laneHeight - 9,
            now,
          });
          if (this.dense(track, ['fault']) && strips.strip(top + row.laneHeight - 4, 4))
            strips.ticks(track.ticks.fault.times, theme.word('fault'));
          break;
        default:
          this.baseline(top + row.laneHeight / 2);
          if (strips.strip(top + 2, row.laneHeight - 4))
            strips.spans(track.down, theme.word('fault'), 0.3, now);
          this.tickStrip(track, top + row.laneHeight / 2 - 6, 12);
      }
    });
  }

  private baseline(y: number): void {
    this.context.fillStyle = this.theme.of('line');
    this.context.fillRect(0, Math.round(y), this.state.view.width, 1);
  }

  /** Many events: those that are common one class under the other, those that are rare over all of them. */
  private tickStrip(track: Track, y: number, height: number): void {
    if (!this.dense(track)) return;
    const { strips, theme } = this;
    const common = COMMON.filter((name) => track.ticks[name].events.length > 0);
    const each = Math.floor(height / Math.max(common.length, 1));
    common.forEach((name, place) => {
      if (strips.strip(y + place * each, each)) strips.ticks(track.ticks[name].times, theme.word(name));
    });
    if (!strips.strip(y, height)) return;
    for (const name of ['state', 'fault'] as const) strips.ticks(track.ticks[name].times, theme.word(name));
  }

  /** Events of the list that are in sight. */
  private visible({ times }: Ticks): readonly [from: number, to: number] {
    const { view } = this.state;
    const from = times.firstFrom(view.start > 0n ? view.start : 0n);
    const to = view.end <= 0n ? from : times.firstFrom(view.end + 1n, from);
    return [from, to];
  }

  /** Whether a track has too many events in sight to draw each by itself. */
  private dense(track: Track, classes: readonly EventClass[] = CLASSES): boolean {
    let count = 0;
    for (const name of classes) {
      const [from, to] = this.visible(track.ticks[name]);
      count += to - from;
    }
    return count > MAX_GLYPHS;
  }

  /** The events of a row one by one, where they are few enough. */
  private glyphsOf(row: Row, y: number): void {
    row.lanes.forEach((track, run) => {
      if (track === undefined) return;
      const top = y + laneTop(row, run);
      const centre = row.kind === 'node' ? top + EVENTS : top + row.laneHeight / 2;
      // A wire's levels are drawn as such.
      const classes = row.kind === 'wire' ? (['fault'] as const) : CLASSES;
      if (!this.dense(track, classes)) this.glyphs(track, classes, centre, run);
      if (row.kind === 'node') this.spanText(track, top + 9);
    });
    if (row.lanes.length === 2) this.sides(row, y);
  }

  private sides(row: Row, y: number): void {
    const { context, theme } = this;
    context.font = theme.small;
    row.lanes.forEach((track, run) => {
      if (track !== undefined) return;
      context.fillStyle = theme.of('muted');
      context.fillText('not in this run', 8, y + laneTop(row, run) + row.laneHeight / 2 + 4);
    });
  }

  private glyphs(track: Track, classes: readonly EventClass[], y: number, run: number): void {
    const { context, theme, state } = this;
    const { view } = state;
    const origin = view.origin;
    const shown = state.runs[run] as ShownRun;
    const { log, header } = shown.model;
    // A frame that was lost is a frame and a fault: it has the shape of the one and the colour of the other.
    const found = new Map<number, EventClass>();
    for (const name of classes) {
      const ticks = track.ticks[name];
      const [from, to] = this.visible(ticks);
      for (let index = from; index < to; index++) found.set(ticks.events.at(index), name);
    }
    context.font = theme.small;
    context.textBaseline = 'middle';
    // From the last to the first, so that each knows how much room there is before the next.
    let next = view.width + 400;
    for (const [event, name] of [...found].sort(([a], [b]) => b - a)) {
      const at = (log.times.since(origin, event) - view.fraction) / view.perPixel;
      const chosen = state.chosen?.run === run && state.chosen.event === event;
      this.glyph(log.kinds.at(event), name, at, y, chosen);
      const room = next - at - 12;
      if (room > LEAST_TEXT && header !== undefined) {
        const what = log.event(event);
        const node = log.nodes.at(event);
        const known = shown.captures.protocol(node, log.times.at(event), what);
        const text = clip(known ?? shortText(header, node, what), room);
        // Arrows may pass there.
        context.fillStyle = theme.faint('ground', 0.75);
        context.fillRect(at + 6, y - 7, text.length * 6, 14);
        context.fillStyle = theme.of(name === 'fault' ? 'fault' : 'muted');
        context.fillText(text, at + 8, y + 0.5);
      }
      next = at - 4;
    }
    context.textBaseline = 'alphabetic';
  }

  /** Each class has a shape of its own besides its colour. Those of one class are filled at once, by {@link fillGlyphs}. */
  private glyph(kind: number, name: EventClass, x: number, y: number, chosen: boolean): void {
    const path = this.paths[name];
    const size = 4;
    // Not quite at one height: many a node answers at the instant at which it was asked.
    if (kind === RecordField.FRAME_SENT) triangle(path, x, y - 2.5, size - 0.5, -1);
    else if (kind === RecordField.FRAME_RECEIVED) triangle(path, x, y + 2.5, size - 0.5, 1);
    else if (name === 'console') path.rect(x - 3, y - 3, 6, 6);
    else if (name === 'signal') {
      path.moveTo(x, y - size);
      path.lineTo(x + size, y);
      path.lineTo(x, y + size);
      path.lineTo(x - size, y);
    } else if (name === 'fault') {
      path.rect(x - 1, y - 6, 2, 8);
      path.rect(x - 1, y + 4, 2, 2);
    } else {
      path.rect(x - 1, y - 6, 1.5, 12);
      path.moveTo(x, y - 6);
      path.lineTo(x + 6, y - 3);
      path.lineTo(x, y);
    }
    if (!chosen) return;
    const { context, theme } = this;
    context.strokeStyle = theme.of('accent');
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.stroke();
  }

  private fillGlyphs(): void {
    for (const name of CLASSES) {
      this.context.fillStyle = this.theme.of(name);
      this.context.fill(this.paths[name]);
    }
  }

  /** What a span is, where there is room to say it. */
  private spanText(track: Track, y: number): void {
    const { context, theme, state } = this;
    const { view } = state;
    context.font = theme.small;
    context.textBaseline = 'middle';
    const tell = (spans: Spans, text: string, colour: string) => {
      const span = spans.length === 0 ? undefined : spans.length - 1;
      if (span === undefined) return;
      const at = spans.find(view.at(view.width / 2)) ?? undefined;
      const from = at?.start ?? (spans.open ? spans.starts.at(span) : undefined);
      if (from === undefined) return;
      const end = at !== undefined && !(spans.open && from === spans.starts.at(span)) ? at.end : undefined;
      const left = Math.max(view.x(from), 0);
      const right = end === undefined ? view.width : Math.min(view.x(end), view.width);
      if (right - left < 70) return;
      context.fillStyle = colour;
      context.fillText(text, left + 6, y);
    };
    tell(track.gone, 'ended', theme.of('muted'));
    tell(track.frozen, 'frozen', theme.of('text'));
    context.textBaseline = 'alphabetic';
  }

  /** Where the events of each node of a run are drawn; undefined for those that have no row. */
  private centres(model: RunModel, run: number, top: number): (number | undefined)[] {
    const places = new Map<Track | undefined, number>();
    for (const row of this.state.rows)
      if (row.kind === 'node') places.set(row.lanes[run], row.top - top + laneTop(row, run) + EVENTS);
    return model.tracks.nodes.map((track) => places.get(track));
  }

  /** The cursor, the pointer's place, what is measured, and where the runs first differ. */
  private lines(): void {
    const { context, theme, state, height } = this;
    const { view } = state;
    if (state.measure !== undefined) {
      const [a, b] = [view.x(state.measure.from), view.x(state.measure.to)];
      context.fillStyle = theme.faint('accent', 0.12);
      context.fillRect(Math.min(a, b), 0, Math.abs(b - a), height);
    }
    if (state.divergence !== undefined) {
      const x = view.x(state.divergence);
      context.fillStyle = theme.of('fault');
      for (let y = 0; y < height; y += 8) context.fillRect(x - 0.75, y, 1.5, 5);
    }
    if (state.hover !== undefined) {
      context.fillStyle = theme.faint('text', 0.22);
      context.fillRect(state.hover, 0, 1, height);
    }
    if (state.cursor !== undefined) {
      context.fillStyle = theme.of('accent');
      context.fillRect(view.x(state.cursor) - 0.75, 0, 1.5, height);
    }
  }

  private label(row: Row, index: number, y: number): void {
    const { context, theme, state } = this;
    const group = row.kind === 'group';
    context.fillStyle = theme.of(group ? 'raised' : 'surface');
    context.fillRect(0, y, LABEL, row.height);
    if (index === state.row && !group) {
      context.fillStyle = theme.faint('accent', 0.12);
      context.fillRect(0, y, LABEL, row.height);
      context.fillStyle = theme.of('accent');
      context.fillRect(0, y, 3, row.height - 1);
    }
    const centre = y + row.height / 2 + 4;
    if (group) {
      context.fillStyle = theme.of('muted');
      context.beginPath();
      const folded = state.folded.has(row.name);
      if (folded) triangle(context, 14, y + row.height / 2, 4, 0);
      else triangle(context, 14, y + row.height / 2, 4, 1);
      context.fill();
      context.font = theme.bold;
      context.fillText(row.name, 25, centre);
      const { width } = context.measureText(row.name);
      context.font = theme.small;
      context.fillText(row.detail, 33 + width, centre);
      return;
    }
    context.font = theme.small;
    context.fillStyle = theme.of('muted');
    const two = row.lanes.length === 2;
    const { width } = context.measureText(row.detail);
    const right = LABEL - (two ? 30 : 12) - width;
    context.fillText(row.detail, right, centre);
    context.font = theme.sans;
    context.fillStyle = theme.of('text');
    context.fillText(clip(row.name, right - 30), 24, centre);
    if (two)
      row.lanes.forEach((_, run) => {
        context.font = theme.bold;
        context.fillStyle = theme.of(run === 0 ? 'running' : 'running-b');
        context.fillText('AB'[run] ?? '', LABEL - 20, y + laneTop(row, run) + row.laneHeight / 2 + 4);
      });
    context.fillStyle = theme.of('line');
    context.fillRect(0, y + row.height - 1, LABEL, 1);
  }
}

/** The colour of a kind of event. */
export function colourOf(kind: number): ColourName {
  return kind === RecordField.ACTIVATION ? 'running' : classOf(kind);
}

/** The event of a track nearest to `at`; `distance` as it is measured. */
export function nearest(
  { all }: Track,
  at: bigint,
  distance: (at: bigint) => number,
): { readonly event: number; readonly distance: number } | undefined {
  const right = all.times.firstFrom(at);
  const found = [right - 1, right]
    .filter((index) => index >= 0 && index < all.times.length)
    .map((index) => ({ event: all.events.at(index), distance: distance(all.times.at(index)) }))
    .sort((a, b) => a.distance - b.distance);
  return found[0];
}

/** Way: -1 points up, 1 down, 0 to the right. */
function triangle(context: CanvasPath, x: number, y: number, size: number, way: number): void {
  if (way === 0) {
    context.moveTo(x - size / 2, y - size);
    context.lineTo(x + size / 2 + 1, y);
    context.lineTo(x - size / 2, y + size);
    return;
  }
  context.moveTo(x, y + size * way);
  context.lineTo(x - size, y - size * way);
  context.lineTo(x + size, y - size * way);
}

/** As much of a text as there is room for, roughly. */
function clip(text: string, room: number): string {
  const most = Math.floor(room / 6.1);
  return text.length <= most ? text : most < 3 ? '' : `${text.slice(0, most - 1)}…`;
}

function newPaths(): Record<EventClass, Path2D> {
  return {
    frame: new Path2D(),
    console: new Path2D(),
    signal: new Path2D(),
    state: new Path2D(),
    fault: new Path2D(),
  };
}
