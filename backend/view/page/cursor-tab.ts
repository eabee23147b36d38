// SPDX-License-Identifier: MIT
import type { LogHeader } from '../../../protocols/trace/record.js';
import { instant } from '../../calendar/time.js';
import { describeEvent, nodeName } from '../../trace/describe-event.js';
import { decodePacket, hexDump } from '../model/packet.js';
import { classOf, type Track } from '../model/run-model.js';
import { formatAt, formatDelta } from '../model/time-text.js';
import { el } from './dom.js';
import { cell, type ListItem, list } from './list.js';
import type { ShownRun, State } from './state.js';
import { colourOf } from './timeline.js';

/** Entries of a list before the cursor, and after it. */
const AROUND = 60;

/** An event in words. */
export function describe({ model }: ShownRun, event: number): string {
  const header = model.header as LogHeader;
  const node = model.log.nodes.at(event);
  return describeEvent(header, node, instant(model.log.times.at(event)), model.log.event(event));
}

export function whose({ model }: ShownRun, event: number): string {
  return nodeName(model.header as LogHeader, model.log.nodes.at(event));
}

/** What happened around the cursor: events, console lines, packets. */
export class CursorTab {
  /** Only events of the row that is chosen. */
  private onlyRow = false;

  constructor(private readonly state: State) {}

  render(): HTMLElement {
    const { state } = this;
    if (state.cursor === undefined) {
      return el(
        'p',
        { class: 'empty' },
        'Click into the timeline to see the events, console lines and packets around an instant. ',
        'Keys: arrows choose a row and an event, w and s zoom, a and d move, ? explains more.',
      );
    }
    const box = el('div', { class: 'columns' });
    box.append(...state.runs.map((_, run) => this.events(run)));
    box.append(this.console(), this.packets());
    return box;
  }

  private events(run: number): HTMLElement {
    const { state } = this;
    const shown = state.runs[run] as ShownRun;
    const { log } = shown.model;
    const cursor = state.cursor as bigint;
    const track = this.onlyRow ? state.rows[state.row]?.lanes[run] : undefined;
    const times = track?.all.times ?? log.times;
    const eventOf = (index: number) => track?.all.events.at(index) ?? index;
    let middle = times.firstFrom(cursor);
    if (state.chosen?.run === run) {
      const { event } = state.chosen;
      while (middle < times.length && eventOf(middle) < event) middle++;
    }
    const items: ListItem[] = [];
    for (let index = Math.max(0, middle - AROUND); index < Math.min(times.length, middle + AROUND); index++) {
      const event = eventOf(index);
      const at = times.at(index);
      const chosen = state.chosen?.run === run && state.chosen.event === event;
      items.push({
        now: chosen,
        next: index === middle,
        choose: () => state.choose(run, event),
        cells: [
          cell('when', formatDelta(cursor, at, false)),
          cell('who', whose(shown, event)),
          this.text(shown, event),
        ],
      });
    }
    const box = el('section', { class: 'column wide' });
    const scope = el('button', { class: 'action', type: 'button', 'aria-pressed': String(this.onlyRow) });
    scope.textContent = this.onlyRow ? `of ${state.rows[state.row]?.name ?? 'this row'}` : 'of all';
    scope.title = 'Events of all, or of the chosen row only';
    scope.addEventListener('click', () => {
      this.onlyRow = !this.onlyRow;
      state.changed();
    });
    const title = state.runs.length === 2 ? `Events of ${'AB'[run]} ` : 'Events ';
    box.append(el('h2', {}, title, scope, ' around ', el('b', {}, formatAt(cursor))), list(title, items));
    return box;
  }

  private text(shown: ShownRun, event: number): HTMLElement {
    const { model } = shown;
    const text = describe(shown, event);
    const box = el('span', { class: 'what', title: text });
    box.append(
      el('i', { class: `mark ${colourOf(model.log.kinds.at(event))}` }),
      this.frame(shown, event) ?? text,
    );
    return box;
  }

  /** A frame whose bytes are known, by what is in it. */
  private frame({ model, captures }: ShownRun, event: number): string | undefined {
    const { log } = model;
    if (classOf(log.kinds.at(event)) !== 'frame') return undefined;
    const what = log.event(event);
    const bytes = captures.find(log.nodes.at(event), log.times.at(event), what);
    if (bytes === undefined) return undefined;
    const verb = what.kind === 'frame-sent' ? 'sends' : 'receives';
    const fate = what.kind === 'frame-sent' && what.fate !== 'delivered' ? `, ${what.fate}` : '';
    return `${verb} ${decodePacket(bytes).summary}${fate}`;
  }

  private console(): HTMLElement {
    const { state } = this;
    const { node, run } = state;
    const box = el('section', { class: 'column' });
    const track = node === undefined ? undefined : run.model.tracks.nodes[node];
    if (node === undefined || track === undefined) {
      box.append(el('h2', {}, 'Console'), el('p', { class: 'empty' }, 'Choose a node to see its console.'));
      return box;
    }
    const lines = run.search.lines(node);
    const cursor = state.cursor as bigint;
    const { times } = run.model.log;
    const limit = state.chosen?.event ?? times.firstFrom(cursor + 1n);
    const middle = lines?.before(limit + (state.chosen === undefined ? 0 : 1)) ?? 0;
    const items: ListItem[] = [];
    for (
      let line = Math.max(0, middle - AROUND);
      line < Math.min(lines?.texts.length ?? 0, middle + AROUND);
      line++
    ) {
      const event = lines?.events.at(line) ?? 0;
      items.push({
        now: line === middle - 1,
        choose: () => state.choose(state.chosen?.run ?? 0, event),
        cells: [
          cell('when', formatDelta(cursor, times.at(event), false)),
          el('span', { class: 'text' }, lines?.texts[line] ?? ''),
        ],
      });
    }
    box.append(
      el('h2', {}, 'Console of ', el('b', {}, track.name), this.side()),
      items.length === 0
        ? el('p', { class: 'empty' }, 'It wrote nothing.')
        : list(`Console of ${track.name}`, items, 'two'),
    );
    return box;
  }

  private packets(): HTMLElement {
    const { state } = this;
    const { node, run } = state;
    const box = el('section', { class: 'column' });
    const row = state.rows[state.row];
    const track: Track | undefined =
      row?.kind === 'link' ? state.track : node === undefined ? undefined : run.model.tracks.nodes[node];
    if (track === undefined) {
      box.append(
        el('h2', {}, 'Packets'),
        el('p', { class: 'empty' }, 'Choose a node or a link to see its packets.'),
      );
      return box;
    }
    const cursor = state.cursor as bigint;
    const { times, events } = track.ticks.frame;
    const middle = times.firstFrom(cursor);
    const items: ListItem[] = [];
    const index = state.chosen?.event;
    let shown: number | undefined;
    for (let at = Math.max(0, middle - AROUND); at < Math.min(times.length, middle + AROUND); at++) {
      const event = events.at(at);
      const now = event === index;
      if (now) shown = event;
      items.push({
        now,
        next: at === middle,
        choose: () => state.choose(state.chosen?.run ?? 0, event, state.row),
        cells: [
          cell('when', formatDelta(cursor, times.at(at), false)),
          cell('what', this.packet(event, row?.kind === 'link')),
        ],
      });
    }
    box.append(
      el('h2', {}, 'Packets of ', el('b', {}, track.name), this.side()),
      items.length === 0
        ? el('p', { class: 'empty' }, 'No frame.')
        : list(`Packets of ${track.name}`, items, 'two'),
    );
    if (shown !== undefined) box.append(this.detail(shown));
    return box;
  }

  /** A frame in one line. */
  private packet(event: number, named: boolean): string {
    const { run } = this.state;
    const { log } = run.model;
    const what = log.event(event);
    if (what.kind !== 'frame-sent' && what.kind !== 'frame-received') return '';
    const way = what.kind === 'frame-sent' ? '▲' : '▼';
    const bytes = run.captures.find(log.nodes.at(event), log.times.at(event), what);
    const fate = what.kind === 'frame-sent' && what.fate !== 'delivered' ? ` — ${what.fate}` : '';
    const who = named ? `${whose(run, event)} ` : '';
    const text = bytes === undefined ? `${what.length} bytes` : decodePacket(bytes).summary;
    return `${way} ${who}${text}${fate}`;
  }

  private detail(event: number): HTMLElement {
    const { run } = this.state;
    const { log, pairs } = run.model;
    const what = log.event(event);
    const box = el('div', { class: 'detail', tabindex: '0', 'aria-label': 'The packet in full' });
    box.append(el('h3', {}, `${whose(run, event)} ${describe(run, event)}`));
    const other = pairs?.other(event);
    if (other !== undefined) {
      const jump = el('button', { class: 'action', type: 'button' });
      const sent = what.kind === 'frame-sent';
      jump.textContent = `${sent ? 'received by' : 'sent by'} ${whose(run, other)} at ${formatAt(log.times.at(other))}`;
      jump.addEventListener('click', () => {
        this.state.choose(this.state.chosen?.run ?? 0, other);
        this.state.view.reveal(log.times.at(other));
      });
      box.append(jump);
    }
    const bytes = run.captures.find(log.nodes.at(event), log.times.at(event), what);
    if (bytes === undefined) {
      box.append(el('p', { class: 'muted' }, 'Its bytes are in no capture of this run.'));
      return box;
    }
    for (const { name, fields } of decodePacket(bytes).layers) {
      const table = el('dl');
      for (const [field, value] of fields) table.append(el('dt', {}, field), el('dd', {}, value));
      box.append(el('h3', {}, name), table);
    }
    box.append(el('pre', {}, hexDump(bytes)));
    return box;
  }

  private side(): string {
    const { state } = this;
    return state.runs.length === 2 ? ` in ${'AB'[state.chosen?.run ?? 0]}` : '';
  }
}
