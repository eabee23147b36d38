// SPDX-License-Identifier: MIT
import { formatAt, formatDelta } from '../model/time-text.js';
import type { App } from './app.js';
import { describe, whose } from './cursor-tab.js';
import { byId, el } from './dom.js';
import { rowAt } from './rows.js';
import type { ShownRun } from './state.js';
import { LABEL, nearest } from './timeline.js';

/** One step of the keys that zoom and move. */
const ZOOM = 1.35;
const MOVE = 0.12;
/** A press that moves less than this is a click. */
const SLIP = 4;
const TABS = ['cursor', 'search', 'plots', 'statistics', 'compare'];

/** What pointer and keys do. */
export class Input {
  private readonly scroller = byId('scroller');
  private readonly tooltip = byId('tooltip');

  constructor(private readonly app: App) {
    this.scroller.tabIndex = 0;
    this.pointer();
    this.axis();
    this.wheel();
    this.divider();
    this.buttons();
    document.addEventListener('keydown', (event) => this.key(event));
  }

  private pointer(): void {
    const { app, scroller } = this;
    const { state } = app;
    let grip: { x: number; y: number; top: number; moved: boolean; measure: boolean } | undefined;
    scroller.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || event.offsetX >= scroller.clientWidth) return;
      const { x, y } = this.place(event);
      grip = { x, y, top: scroller.scrollTop, moved: false, measure: event.shiftKey };
      if (x >= 0) scroller.setPointerCapture(event.pointerId);
      this.hideTooltip();
    });
    scroller.addEventListener('pointermove', (event) => {
      const { x, y } = this.place(event);
      if (grip === undefined) {
        state.hover = x >= 0 ? x : undefined;
        this.showTooltip(event, x, y);
        state.changed();
        return;
      }
      if (!grip.moved && Math.hypot(x - grip.x, y - grip.y) < SLIP) return;
      if (grip.x < 0) return;
      if (!grip.moved && grip.measure) state.measure = { from: state.view.at(grip.x), to: state.view.at(x) };
      grip.moved = true;
      state.follow = false;
      if (grip.measure && state.measure !== undefined) {
        state.measure = { from: state.measure.from, to: state.view.at(x) };
        this.tellMeasure();
      } else {
        state.view.pan(grip.x - x);
        scroller.scrollTop = grip.top + grip.y - y;
        grip.x = x;
      }
      state.hover = x;
      state.changed();
    });
    scroller.addEventListener('pointerup', (event) => {
      const { x, y } = this.place(event);
      if (grip !== undefined && !grip.moved) this.click(x, y);
      grip = undefined;
    });
    scroller.addEventListener('pointercancel', () => {
      grip = undefined;
    });
    scroller.addEventListener('pointerleave', () => {
      state.hover = undefined;
      this.hideTooltip();
      state.changed();
    });
    scroller.addEventListener('dblclick', (event) => {
      const { x } = this.place(event);
      if (x < 0) return;
      state.view.zoom(1 / 4, x);
      state.changed();
    });
  }

  /** The axis is dragged to zoom: out to the left, in to the right; its click puts the cursor. */
  private axis(): void {
    const canvas = byId('axis');
    const { state } = this.app;
    let grip: { x: number; moved: boolean } | undefined;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      grip = { x: event.offsetX, moved: false };
    });
    canvas.addEventListener('pointermove', (event) => {
      if (grip === undefined) return;
      if (!grip.moved && Math.abs(event.offsetX - grip.x) < SLIP) return;
      grip.moved = true;
      state.view.pan(grip.x - event.offsetX);
      grip.x = event.offsetX;
      state.changed();
    });
    canvas.addEventListener('pointerup', (event) => {
      if (grip !== undefined && !grip.moved) state.moveCursor(state.view.at(event.offsetX));
      grip = undefined;
    });
  }

  private wheel(): void {
    const { app, scroller } = this;
    const { state } = app;
    const turn = (event: WheelEvent, x: number) => {
      const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const [dx, dy] = [event.deltaX * scale, event.deltaY * scale];
      const scrolls = scroller.scrollHeight > scroller.clientHeight + 1;
      if (event.ctrlKey || (!scrolls && !event.shiftKey && Math.abs(dy) > Math.abs(dx)))
        state.view.zoom(Math.exp(Math.max(-120, Math.min(120, dy)) * 0.004), Math.max(0, x));
      else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) state.view.pan(dx === 0 ? dy : dx);
      else return;
      event.preventDefault();
      state.follow = false;
      this.hideTooltip();
      state.changed();
    };
    scroller.addEventListener('wheel', (event) => turn(event, this.place(event).x), { passive: false });
    for (const id of ['axis', 'overview'])
      byId(id).addEventListener(
        'wheel',
        (event) => {
          event.preventDefault();
          state.view.zoom(Math.exp(Math.max(-120, Math.min(120, event.deltaY)) * 0.004), event.offsetX);
          state.changed();
        },
        { passive: false },
      );
  }

  private divider(): void {
    const divider = byId('divider');
    const panel = byId('panel');
    const size = (height: number) => {
      const most = byId('main').clientHeight - 140;
      const now = Math.round(Math.max(80, Math.min(most, height)));
      panel.style.height = `${now}px`;
      divider.setAttribute('aria-valuenow', String(now));
      this.app.invalidate();
    };
    let grip = false;
    divider.addEventListener('pointerdown', (event) => {
      divider.setPointerCapture(event.pointerId);
      grip = true;
    });
    divider.addEventListener('pointermove', (event) => {
      if (grip) size(byId('main').getBoundingClientRect().bottom - event.clientY - 4);
    });
    divider.addEventListener('pointerup', () => {
      grip = false;
    });
    divider.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowUp' ? 24 : event.key === 'ArrowDown' ? -24 : 0;
      if (step === 0) return;
      event.stopPropagation();
      event.preventDefault();
      size(panel.clientHeight + step);
    });
  }

  private buttons(): void {
    const { app } = this;
    const { state } = app;
    const on = (id: string, action: () => void) =>
      byId(id).addEventListener('click', () => {
        action();
        app.invalidate();
      });
    on('zoom-in', () => this.zoom(1 / 2));
    on('zoom-out', () => this.zoom(2));
    on('zoom-all', () => state.view.showAll());
    on('help-open', () => app.help());
    on('follow', () => this.follow());
    byId('search-form').addEventListener('submit', (event) => {
      event.preventDefault();
      app.find(byId<HTMLInputElement>('search').value);
    });
  }

  private follow(): void {
    const { state } = this.app;
    state.follow = !state.follow;
    if (state.follow) this.app.toEnd();
    this.app.invalidate();
  }

  private key(event: KeyboardEvent): void {
    const { app } = this;
    const { state } = app;
    if (byId<HTMLDialogElement>('help').open) return;
    if (event.target instanceof HTMLInputElement) {
      if (event.key === 'Escape') this.scroller.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    if (onButton && (event.key === 'Enter' || event.key === ' ')) return;
    const actions: Readonly<Record<string, () => void>> = {
      w: () => this.zoom(1 / ZOOM),
      W: () => this.zoom(1 / ZOOM ** 4),
      '+': () => this.zoom(1 / ZOOM),
      s: () => this.zoom(ZOOM),
      S: () => this.zoom(ZOOM ** 4),
      '-': () => this.zoom(ZOOM),
      a: () => state.view.pan(-MOVE * state.view.width),
      A: () => state.view.pan(-0.8 * state.view.width),
      d: () => state.view.pan(MOVE * state.view.width),
      D: () => state.view.pan(0.8 * state.view.width),
      '0': () => state.view.showAll(),
      f: () => this.fit(),
      g: () => app.jump(),
      e: () => this.follow(),
      n: () => app.step(1),
      N: () => app.step(-1),
      '/': () => byId<HTMLInputElement>('search').select(),
      '?': () => app.help(),
      Escape: () => {
        state.cursor = undefined;
        state.chosen = undefined;
        state.measure = undefined;
      },
      ArrowLeft: () => this.stepEvent(-1),
      ArrowRight: () => this.stepEvent(1),
      ArrowUp: () => this.stepRow(-1),
      ArrowDown: () => this.stepRow(1),
      Enter: () => this.enter(),
    };
    const tab = TABS[Number(event.key) - 1];
    const action = actions[event.key] ?? (tab === undefined ? undefined : () => app.showTab(tab));
    if (action === undefined) return;
    event.preventDefault();
    if ('wsadWSAD+-0'.includes(event.key)) state.follow = false;
    action();
    state.changed();
  }

  /** Zooms where the pointer is, else where the cursor is, else in the middle. */
  private zoom(factor: number): void {
    const { state } = this.app;
    const { view, hover, cursor } = state;
    const at = cursor === undefined ? undefined : view.x(cursor);
    const inSight = at !== undefined && at >= 0 && at <= view.width ? at : undefined;
    view.zoom(factor, hover ?? inSight ?? view.width / 2);
  }

  private fit(): void {
    const { state } = this.app;
    const { measure, cursor, view } = state;
    if (measure !== undefined) {
      const [from, to] = measure.from < measure.to ? [measure.from, measure.to] : [measure.to, measure.from];
      view.show(from, to);
    } else if (cursor !== undefined) view.show(cursor - 500n, cursor + 500n);
  }

  /** The event after the cursor in the chosen row, or before it. */
  private stepEvent(by: number): void {
    const { app } = this;
    const { state } = app;
    const run = state.chosen?.run ?? 0;
    const { track } = state;
    if (track === undefined) return;
    const { times, events } = track.all;
    let index: number;
    if (state.chosen !== undefined) {
      const { event } = state.chosen;
      let [low, high] = [0, events.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (events.at(middle) < event) low = middle + 1;
        else high = middle;
      }
      index = by < 0 ? low - 1 : events.at(low) === event ? low + 1 : low;
    } else {
      const at = state.cursor ?? state.view.at(state.view.width / 2);
      index = by < 0 ? times.firstFrom(at) - 1 : times.firstFrom(at);
    }
    if (index < 0 || index >= events.length) return;
    state.choose(run, events.at(index), state.row);
    state.view.reveal(times.at(index));
    const shown = state.runs[run] as ShownRun;
    app.say(`${whose(shown, events.at(index))} ${describe(shown, events.at(index))}`);
  }

  private stepRow(by: number): void {
    const { app } = this;
    const { state } = app;
    const next = state.row + by;
    if (state.rows[next] === undefined) return;
    state.row = next;
    app.reveal();
    const row = state.rows[next];
    app.say(`${row?.name}, ${row?.detail}`);
  }

  /** Follows a frame to its other end; folds a group. */
  private enter(): void {
    const { app } = this;
    const { state } = app;
    const row = state.rows[state.row];
    if (row?.kind === 'group') return this.fold(row.name);
    if (state.chosen === undefined) return;
    const { model } = state.runs[state.chosen.run] as ShownRun;
    const other = model.pairs?.other(state.chosen.event);
    if (other === undefined) return;
    state.choose(state.chosen.run, other);
    state.view.reveal(model.log.times.at(other));
    app.reveal();
  }

  private fold(name: string): void {
    const { state } = this.app;
    if (!state.folded.delete(name)) state.folded.add(name);
    state.layout();
    state.changed();
  }

  private click(x: number, y: number): void {
    const { app, scroller } = this;
    const { state } = app;
    const index = rowAt(state.rows, y + scroller.scrollTop);
    const row = index === undefined ? undefined : state.rows[index];
    if (row?.kind === 'group') return this.fold(row.name);
    if (index !== undefined) state.row = index;
    state.measure = undefined;
    if (x < 0) return state.changed();
    const hit = app.timeline.hit(x, y, scroller.scrollTop);
    app.showTab('cursor');
    if (hit !== undefined) state.choose(hit.run, hit.event, hit.row);
    else {
      state.moveCursor(state.view.at(x));
      const track = row?.lanes[0];
      const near = track === undefined ? undefined : nearest(track, state.view.at(x), () => 0);
      if (near === undefined) state.changed();
    }
  }

  private tellMeasure(): void {
    const { measure } = this.app.state;
    if (measure === undefined) return;
    this.app.say(`${formatDelta(measure.from, measure.to)} measured`);
    const { tooltip } = this;
    tooltip.replaceChildren(el('b', {}, formatDelta(measure.from, measure.to)));
    tooltip.hidden = false;
    tooltip.style.left = `${byId('axis').getBoundingClientRect().left + 12}px`;
    tooltip.style.top = `${this.scroller.getBoundingClientRect().top + 12}px`;
  }

  private showTooltip(event: PointerEvent, x: number, y: number): void {
    const { app, tooltip, scroller } = this;
    const hit = x < 0 ? undefined : app.timeline.hit(x, y, scroller.scrollTop);
    if (hit === undefined) return this.hideTooltip();
    const run = app.state.runs[hit.run] as ShownRun;
    tooltip.replaceChildren(
      el('div', { class: 'mono' }, formatAt(run.model.log.times.at(hit.event))),
      el('b', {}, whose(run, hit.event)),
      ` ${describe(run, hit.event)}`,
    );
    tooltip.hidden = false;
    const { width, height } = tooltip.getBoundingClientRect();
    tooltip.style.left = `${Math.min(event.clientX + 14, innerWidth - width - 8)}px`;
    tooltip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
  }

  private hideTooltip(): void {
    this.tooltip.hidden = true;
  }

  /** Where a pointer is: from the left edge of the time axis, and from the top of what is in sight. */
  private place(event: MouseEvent): { x: number; y: number } {
    const { left, top } = this.scroller.getBoundingClientRect();
    return { x: event.clientX - left - LABEL, y: event.clientY - top };
  }
}
