// SPDX-License-Identifier: MIT
import type { RunModel, Track } from '../model/run-model.js';

export type RowKind = 'group' | 'run' | 'node' | 'link' | 'wire' | 'shared';

/** A row of the timeline: of two runs, it has a lane for each, one over the other. */
export interface Row {
  readonly kind: RowKind;
  readonly name: string;
  /** What else its label says. */
  readonly detail: string;
  /** By run; undefined where the run has none of that name. */
  readonly lanes: readonly (Track | undefined)[];
  readonly laneHeight: number;
  readonly top: number;
  readonly height: number;
}

const LANE = { group: 24, run: 26, node: 34, link: 24, wire: 26, shared: 24 } as const;
/** Over and under the lanes of a row. */
const MARGIN = 3;

/** The rows of one run or of two, those of the same name together. */
export function buildRows(runs: readonly RunModel[], folded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  let top = 0;
  const add = (
    kind: RowKind,
    name: string,
    detail: string,
    lanes: readonly (Track | undefined)[],
    group: string,
  ) => {
    if (kind !== 'group' && folded.has(group)) return;
    const laneHeight = LANE[kind];
    const height = kind === 'group' ? laneHeight : laneHeight * Math.max(1, lanes.length) + 2 * MARGIN;
    rows.push({ kind, name, detail, lanes, laneHeight, top, height });
    top += height;
  };
  const group = (
    kind: RowKind,
    title: string,
    tracks: (run: RunModel) => readonly Track[],
    detail: Details,
  ) => {
    const names = new Set(runs.flatMap((run) => tracks(run).map(({ name }) => name)));
    if (names.size === 0) return;
    add('group', title, String(names.size), [], title);
    for (const name of names) {
      const lanes = runs.map((run) => tracks(run).find((track) => track.name === name));
      add(kind, name, detail(name), lanes, title);
    }
  };
  const headers = runs.map(({ header }) => header).filter((header) => header !== undefined);
  const detailOf = (find: (name: string) => (string | undefined)[]) => (name: string) =>
    find(name).find((each) => each !== undefined) ?? '';
  const events = runs.some(({ tracks }) => tracks.run.all.events.length > 0);
  if (events)
    add(
      'run',
      'run',
      'changes and marks',
      runs.map(({ tracks }) => tracks.run),
      'run',
    );
  group(
    'node',
    'Nodes',
    ({ tracks }) => tracks.nodes,
    detailOf((name) => headers.map(({ nodes }) => nodes.find((node) => node.name === name)?.kind)),
  );
  group(
    'wire',
    'Wires',
    ({ tracks }) => tracks.wires,
    detailOf((name) =>
      headers.map(({ wires }) => wires.find((wire) => wire.name === name)?.pins.length).map(pins),
    ),
  );
  group(
    'shared',
    'Shared variables',
    ({ tracks }) => tracks.shared,
    detailOf((name) => headers.map(({ shared }) => shared.find((each) => each.name === name)?.method)),
  );
  group(
    'link',
    'Links and switches',
    ({ tracks }) => tracks.links,
    detailOf((name) =>
      headers.map(({ links, switches }) =>
        links.some((link) => link.name === name)
          ? 'link'
          : switches.some((each) => each.name === name)
            ? 'switch'
            : undefined,
      ),
    ),
  );
  return rows;
}

type Details = (name: string) => string;

function pins(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${count} ${count === 1 ? 'pin' : 'pins'}`;
}

/** Where the lane of a run in a row begins, from the row's top. */
export function laneTop(row: Row, run: number): number {
  return MARGIN + run * row.laneHeight;
}

/** The row at `y`. */
export function rowAt(rows: readonly Row[], y: number): number | undefined {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle] as Row;
    if (row.top + row.height <= y) low = middle + 1;
    else high = middle;
  }
  return low < rows.length && y >= 0 ? low : undefined;
}

export function heightOf(rows: readonly Row[]): number {
  const last = rows.at(-1);
  return last === undefined ? 0 : last.top + last.height;
}
