// SPDX-License-Identifier: MIT
import { RecordField } from '../../../protocols/trace/constants.js';
import { ConsoleLines } from './console-lines.js';
import type { RunModel } from './run-model.js';
import { parseAt } from './time-text.js';

/** Results that are given at most. */
export const MAX_RESULTS = 10_000;

/** The kinds of event by the names that a person searches for. */
export const KIND_NAMES: Readonly<Record<number, string>> = {
  [RecordField.ACTIVATION]: 'activation',
  [RecordField.FRAME_SENT]: 'frame sent',
  [RecordField.FRAME_RECEIVED]: 'frame received',
  [RecordField.CONSOLE_OUTPUT]: 'console',
  [RecordField.NODE_STATE]: 'state',
  [RecordField.BROADCAST]: 'broadcast',
  [RecordField.MARK]: 'mark',
  [RecordField.ACT]: 'act',
  [RecordField.SERIAL_DATA]: 'serial',
  [RecordField.FAULT]: 'fault',
  [RecordField.CHANGE]: 'change',
  [RecordField.DRIVE]: 'drive',
  [RecordField.LEVEL]: 'level',
  [RecordField.VARIABLE_CHANGED]: 'variable changed',
  [RecordField.VARIABLE_STORED]: 'variable stored',
  [RecordField.SLOT_ENTRY]: 'slot',
  [RecordField.LINE_RAISED]: 'line raised',
  [RecordField.WARP_APPLIED]: 'warp',
  [RecordField.DEADLINE_MISSED]: 'deadline missed',
};

export interface SearchResult {
  readonly event: number;
  /** The line of the console that was found. */
  readonly line?: string;
}

export type Found =
  | { readonly what: 'time'; readonly at: bigint }
  | {
      readonly what: 'events';
      /** Nodes, links, wires or variables of that name. */
      readonly names: readonly string[];
      /** In the order of the log. */
      readonly results: readonly SearchResult[];
      /** There are more than {@link MAX_RESULTS}. */
      readonly more: boolean;
    };

/** Searches one run; the lines of its consoles are kept for the next time. */
export class Search {
  private readonly consoles = new Map<number, ConsoleLines>();

  constructor(private readonly run: RunModel) {}

  /** What a node has written to its console. */
  lines(node: number): ConsoleLines | undefined {
    const track = this.run.tracks.nodes[node];
    if (track === undefined) return undefined;
    const lines = this.consoles.get(node) ?? new ConsoleLines(this.run, track);
    this.consoles.set(node, lines);
    return lines.update();
  }

  /** Finds a time (`t=1.5s`), a name, a kind of event, or text. */
  find(query: string): Found {
    const time = /^t\s*=\s*(.+)$/.exec(query.trim());
    const at = time === null ? undefined : parseAt(time[1] as string);
    if (at !== undefined) return { what: 'time', at };
    const needle = query.trim().toLowerCase();
    if (needle === '') return { what: 'events', names: [], results: [], more: false };
    const { nodes, links, wires, shared } = this.run.tracks;
    const names = [...nodes, ...links, ...wires, ...shared]
      .map(({ name }) => name)
      .filter((name) => name.toLowerCase().includes(needle));
    const kinds = new Set(
      Object.entries(KIND_NAMES)
        .filter(([, name]) => name === needle || name.split(' ')[0] === needle || `${name}s` === needle)
        .map(([kind]) => Number(kind)),
    );
    const results = new Map<number, SearchResult>();
    const { log } = this.run;
    for (let event = 0; event < log.length && kinds.size > 0 && results.size <= MAX_RESULTS; event++)
      if (kinds.has(log.kinds.at(event))) results.set(event, { event });
    this.findText(needle, results);
    const ordered = [...results.values()].sort((a, b) => a.event - b.event);
    return {
      what: 'events',
      names,
      results: ordered.slice(0, MAX_RESULTS),
      more: ordered.length > MAX_RESULTS,
    };
  }

  private findText(needle: string, results: Map<number, SearchResult>): void {
    const { run } = this;
    for (let node = 0; node < run.tracks.nodes.length; node++) {
      const lines = this.lines(node);
      if (lines === undefined) continue;
      for (let line = 0; line < lines.texts.length && results.size <= MAX_RESULTS; line++) {
        const text = lines.texts[line] as string;
        if (!text.toLowerCase().includes(needle)) continue;
        const event = lines.events.at(line);
        results.set(event, { event, line: text });
      }
    }
    const { nodes, run: whole, wires } = run.tracks;
    for (const track of [...nodes, whole, ...wires]) {
      for (const ticks of [track.ticks.state, track.ticks.fault]) {
        for (let index = 0; index < ticks.events.length && results.size <= MAX_RESULTS; index++) {
          const event = ticks.events.at(index);
          const what = run.log.event(event);
          const text =
            'text' in what ? what.text : what.kind === 'node-state' ? JSON.stringify(what.state) : '';
          if (text.toLowerCase().includes(needle)) results.set(event, { event });
        }
      }
    }
  }
}
