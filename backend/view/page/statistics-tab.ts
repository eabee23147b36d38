// SPDX-License-Identifier: MIT
import type { Track } from '../model/run-model.js';
import { formatAt, formatSpan } from '../model/time-text.js';
import { el } from './dom.js';
import type { ShownRun, State } from './state.js';

type Json = Readonly<Record<string, unknown>>;

/** A part of result.json, which may hold anything. */
export function part(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Json)[name];
  }
  return found;
}

/** A value of result.json in a cell. */
function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
    ? String(value).slice(0, 500)
    : '';
}

function span(value: unknown): string {
  return typeof value === 'number' ? formatSpan(value) : '';
}

/** What each node, link and wire came to. */
export function renderStatistics(state: State): HTMLElement {
  const box = el('div', { class: 'tables' });
  state.runs.forEach((run, index) => {
    if (state.runs.length === 2) box.append(el('h2', { class: 'empty' }, `Run ${'AB'[index]}: ${run.label}`));
    box.append(runTable(run), nodeTable(state, run, index), boardTable(run), linkTable(run));
  });
  return box;
}

function runTable({ model, label, result }: ShownRun): HTMLElement {
  const { header, log } = model;
  const rows: [string, string][] = [
    ['run', label],
    ['topology', header?.topology ?? ''],
    ['status', shown(part(result, 'status')) || 'no result.json'],
    ['why', shown(part(result, 'reason'))],
    ['ended', log.end === undefined ? 'no end in the log' : log.end.reason],
    ['virtual time', formatAt(model.end)],
    ['wall time', wall(part(result, 'wallMs'))],
    ['events in the log', log.length.toLocaleString('en')],
    ['seed', String(header?.seed ?? '')],
    ['trace', shown(part(result, 'traceHash')).slice(0, 23)],
  ];
  const body = el('tbody');
  for (const [name, value] of rows)
    if (value !== '')
      body.append(el('tr', {}, el('td', { class: 'muted' }, name), el('td', { class: 'left' }, value)));
  return el('table', { 'aria-label': 'The run' }, body);
}

function wall(ms: unknown): string {
  return typeof ms === 'number' ? formatSpan(ms * 1e6) : '';
}

function nodeTable(state: State, run: ShownRun, index: number): HTMLElement {
  const { model, result } = run;
  const rows = model.tracks.nodes.map((track, node) => {
    const told = part(result, 'nodes', track.name);
    const bad = ['crashed', 'hung', 'evicted'].includes(shown(part(told, 'state')));
    const name = el('td', {}, track.name);
    const row = el(
      'tr',
      {},
      name,
      el('td', { class: 'left muted' }, model.header?.nodes[node]?.kind ?? ''),
      el('td', { class: bad ? 'left bad-text' : 'left' }, ending(told)),
      ...numbers([
        track.activations,
        track.sent,
        track.received,
        track.lost,
        track.ticks.console.events.length,
        track.ticks.fault.events.length,
      ]),
      el('td', {}, track.running.length === 0 ? '' : formatSpan(track.running.total)),
      el(
        'td',
        {},
        track.frozen.length === 0
          ? ''
          : `${track.frozen.length} ×${track.frozen.total === 0 ? '' : ` ${formatSpan(track.frozen.total / track.frozen.length)}`}`,
      ),
      el('td', {}, shown(part(told, 'cpuMs')) && `${shown(part(told, 'cpuMs'))} ms`),
    );
    row.addEventListener('click', () => {
      const at = state.rows.findIndex(({ lanes }) => lanes[index] === track);
      if (at >= 0) state.row = at;
      state.changed();
    });
    return row;
  });
  return table(
    'Nodes',
    [
      'node',
      'kind',
      'state',
      'activations',
      'sent',
      'received',
      'lost',
      'writes',
      'faults',
      'running',
      'frozen',
      'CPU',
    ],
    rows,
  );
}

function ending(told: unknown): string {
  const state = shown(part(told, 'state'));
  const exit = shown(part(told, 'exit')) || shown(part(told, 'signal'));
  return `${state} ${exit}`.trim();
}

function boardTable({ model, result }: ShownRun): HTMLElement | string {
  const boards = model.tracks.nodes.filter((_, node) => model.header?.nodes[node]?.kind === 'board');
  const rows = boards.map(({ name }) => {
    const told = part(result, 'nodes', name);
    const frozen = Number.parseInt(shown(part(told, 'frozenNs')), 10);
    return el(
      'tr',
      {},
      el('td', {}, name),
      el('td', {}, shown(part(told, 'freezes'))),
      el('td', {}, Number.isFinite(frozen) ? formatSpan(frozen) : ''),
      ...['pauseNs', 'resumeNs', 'skewNs'].flatMap((what) =>
        ['mean', 'p99', 'max'].map((which) => el('td', {}, span(part(told, what, which)))),
      ),
    );
  });
  if (rows.length === 0) return '';
  const names = ['pause', 'resume', 'skew'].flatMap((what) => [`${what} mean`, 'p99', 'max']);
  return table('Boards', ['board', 'freezes', 'frozen, wall', ...names], rows);
}

function linkTable({ model, result }: ShownRun): HTMLElement | string {
  const rows = model.tracks.links.map((track: Track) => {
    const told = part(result, 'links', track.name);
    return el(
      'tr',
      {},
      el('td', {}, track.name),
      el('td', {}, shown(part(told, 'frames'))),
      el('td', {}, shown(part(told, 'bytes'))),
      el('td', {}, shown(part(told, 'dropped'))),
      el('td', {}, track.ticks.frame.events.length.toLocaleString('en')),
    );
  });
  if (rows.length === 0) return '';
  return table('Links and switches', ['link', 'frames', 'bytes', 'dropped', 'seen'], rows);
}

function numbers(values: readonly number[]): HTMLElement[] {
  return values.map((value) => el('td', {}, value === 0 ? '' : value.toLocaleString('en')));
}

function table(label: string, names: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const head = el('tr', {}, ...names.map((name) => el('th', { scope: 'col' }, name)));
  return el('table', { 'aria-label': label }, el('thead', {}, head), el('tbody', {}, ...rows));
}
