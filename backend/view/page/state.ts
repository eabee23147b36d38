// SPDX-License-Identifier: MIT

import type { RunModel, Track } from '../model/run-model.js';
import type { Search } from '../model/search.js';
import type { Series } from '../model/series.js';
import { Viewport } from '../model/viewport.js';
import type { Captures } from './captures.js';
import { buildRows, type Row } from './rows.js';

/** An event that was chosen. */
export interface Chosen {
  readonly run: number;
  readonly event: number;
}

/** A run of the page, with what is known of it besides its log. */
export interface ShownRun {
  readonly model: RunModel;
  readonly label: string;
  readonly search: Search;
  readonly captures: Captures;
  /** What was measured over virtual time. */
  readonly series: Series[];
  /** result.json; undefined: there is none. */
  result: Readonly<Record<string, unknown>> | undefined;
}

/** What is shown and chosen. Whoever changes it says so by {@link changed}, and all is drawn again. */
export class State {
  readonly view = new Viewport();
  rows: Row[] = [];
  readonly folded = new Set<string>();
  /** The row that the keyboard is in. */
  row = 0;
  cursor: bigint | undefined;
  chosen: Chosen | undefined;
  /** Where the pointer is, in pixels from the left edge of the time axis. */
  hover: number | undefined;
  /** A span of time that is measured. */
  measure: { readonly from: bigint; readonly to: bigint } | undefined;
  /** Where the two runs first differ. */
  divergence: bigint | undefined;
  /** Instants that a search has found, in order. */
  matches: readonly bigint[] = [];
  /** Keeps the end in sight while the run goes on. */
  follow = false;
  live = false;

  constructor(
    readonly runs: readonly ShownRun[],
    readonly changed: () => void,
  ) {}

  get models(): RunModel[] {
    return this.runs.map(({ model }) => model);
  }

  /** The run that a chosen event is of. */
  get run(): ShownRun {
    return this.runs[this.chosen?.run ?? 0] as ShownRun;
  }

  /** The rows anew: after a group was folded, or a header has come. */
  layout(): void {
    const kept = this.rows[this.row];
    this.rows = buildRows(this.models, this.folded);
    const again = this.rows.findIndex(({ kind, name }) => kind === kept?.kind && name === kept.name);
    this.row = Math.max(0, again >= 0 ? again : this.rows.findIndex(({ kind }) => kind === 'node'));
  }

  /** The track of the chosen row in the run that is looked at. */
  get track(): Track | undefined {
    return this.rows[this.row]?.lanes[this.chosen?.run ?? 0];
  }

  /** The index in the header of the node that is looked at: that of the row, else that of the event. */
  get node(): number | undefined {
    const { model } = this.run;
    const { track } = this;
    const index = track === undefined ? -1 : model.tracks.nodes.indexOf(track);
    if (index >= 0) return index;
    const node = this.chosen === undefined ? undefined : model.log.nodes.at(this.chosen.event);
    return node !== undefined && node < model.tracks.nodes.length ? node : undefined;
  }

  /** Chooses an event; the cursor goes there. */
  choose(run: number, event: number, row?: number): void {
    const { model } = this.runs[run] as ShownRun;
    this.chosen = { run, event };
    this.cursor = model.log.times.at(event);
    this.row = row ?? this.rowOf(run, event) ?? this.row;
    this.changed();
  }

  /** Puts the cursor to an instant at which nothing need happen. */
  moveCursor(at: bigint): void {
    this.cursor = at;
    this.chosen = undefined;
    this.changed();
  }

  /** The row of the place where an event happened. */
  rowOf(run: number, event: number): number | undefined {
    const { model } = this.runs[run] as ShownRun;
    const node = model.log.nodes.at(event);
    const { nodes, links, wires, run: whole } = model.tracks;
    const linksOnly = model.header?.links.length ?? 0;
    const track =
      nodes[node] ??
      (node < model.runNode ? links[linksOnly + node - nodes.length] : undefined) ??
      (node === model.runNode ? whole : wires[node - model.runNode - 1]);
    const found = this.rows.findIndex(({ lanes }) => track !== undefined && lanes[run] === track);
    return found < 0 ? undefined : found;
  }
}
