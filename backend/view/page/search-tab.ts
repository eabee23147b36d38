// SPDX-License-Identifier: MIT
import type { SearchResult } from '../model/search.js';
import { formatAt } from '../model/time-text.js';
import { describe, whose } from './cursor-tab.js';
import { el } from './dom.js';
import { cell, type ListItem, list } from './list.js';
import type { ShownRun, State } from './state.js';

/** Results around the present one that are listed. */
const LISTED = 200;

interface Hit extends SearchResult {
  readonly run: number;
  readonly at: bigint;
}

/** Finds, and goes from one result to the next. */
export class SearchTab {
  private query = '';
  private hits: Hit[] = [];
  private names: readonly string[] = [];
  private more = false;
  private current = -1;

  constructor(private readonly state: State) {}

  /** @returns what was found, in words */
  find(query: string): string {
    const { state } = this;
    this.query = query;
    this.hits = [];
    this.names = [];
    this.more = false;
    this.current = -1;
    for (const [run, { search, model }] of state.runs.entries()) {
      const found = search.find(query);
      if (found.what === 'time') {
        state.matches = [];
        state.moveCursor(found.at);
        state.view.reveal(found.at);
        return `at ${formatAt(found.at)}`;
      }
      if (run === 0 || this.names.length === 0) this.names = found.names;
      this.more ||= found.more;
      for (const result of found.results)
        this.hits.push({ ...result, run, at: model.log.times.at(result.event) });
    }
    if (state.runs.length > 1) this.hits.sort((a, b) => Number(a.at - b.at) || a.run - b.run);
    state.matches = this.hits.map(({ at }) => at);
    const [name] = this.names;
    if (name !== undefined) {
      const row = state.rows.findIndex((each) => each.name === name && each.kind !== 'group');
      if (row >= 0) state.row = row;
    }
    if (this.hits.length > 0) {
      const from = state.cursor ?? 0n;
      const next = this.hits.findIndex(({ at }) => at >= from);
      this.go(next < 0 ? 0 : next);
    }
    state.changed();
    return this.summary;
  }

  /** The next result, or the one before. */
  step(by: number): void {
    const { length } = this.hits;
    if (length > 0) this.go((this.current + by + length) % length);
  }

  private get summary(): string {
    if (this.query.trim() === '') return 'Nothing was searched for.';
    const count = this.more ? `more than ${this.hits.length}` : String(this.hits.length);
    const names = this.names.length === 0 ? '' : `; named so: ${this.names.slice(0, 12).join(', ')}`;
    return `${count} ${this.hits.length === 1 ? 'event' : 'events'} for “${this.query}”${names}`;
  }

  private go(index: number): void {
    const hit = this.hits[index];
    if (hit === undefined) return;
    this.current = index;
    this.state.choose(hit.run, hit.event);
    this.state.view.reveal(hit.at);
  }

  render(): HTMLElement {
    const { state } = this;
    const box = el('section', { class: 'column' });
    box.append(el('h2', { id: 'found' }, this.summary));
    if (this.query.trim() === '') {
      box.append(
        el(
          'p',
          { class: 'empty' },
          'Search for text of consoles, marks and faults; for a name; for a kind of event (fault, frame sent, console, drive, …); or for an instant: t=1.5s.',
        ),
      );
      return box;
    }
    const from = Math.max(0, this.current - LISTED / 2);
    const items = this.hits.slice(from, from + LISTED).map((hit, at): ListItem => {
      const run = state.runs[hit.run] as ShownRun;
      const side = state.runs.length === 2 ? `${'AB'[hit.run]} ` : '';
      return {
        now: from + at === this.current,
        choose: () => this.go(from + at),
        cells: [
          cell('when', formatAt(hit.at)),
          cell('who', side + whose(run, hit.event)),
          el('span', { class: 'text' }, hit.line ?? describe(run, hit.event)),
        ],
      };
    });
    box.append(list('Results', items));
    const columns = el('div', { class: 'columns' });
    columns.append(box);
    return columns;
  }
}
