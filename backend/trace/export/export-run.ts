// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Instant, NEVER, ZERO } from '../../calendar/index.js';
import { OneclockError } from '../../errors.js';
import { type RunCost, readCost } from '../cost-file.js';
import { COST_NAME } from '../cost-writer.js';
import { alteration } from '../log-hash.js';
import { findLog, type LoggedEvent, LogReader } from '../log-reader.js';
import type { Damage } from '../record-file.js';
import { CaptureMerge, captureFiles } from './captures.js';
import { Csv } from './csv.js';
import { ownerNames } from './event-fields.js';
import type { Exporter } from './exporter.js';
import { JsonLines } from './json-lines.js';
import { Perfetto } from './perfetto.js';

export const FORMATS = ['perfetto', 'json', 'csv', 'pcapng'] as const;
export type Format = (typeof FORMATS)[number];

/** Those that are made of events. */
type EventFormat = Exclude<Format, 'pcapng'>;

/** What is handed on at once, in bytes or characters. */
const CHUNK = 65_536;

export interface ExportOptions {
  readonly format: Format;
  /** What happened before is left out. */
  readonly from: Instant;
  /** What happened at this instant or later is left out. */
  readonly to: Instant;
  /** Names of nodes, switches or wires, or `run`; none: all. */
  readonly names: readonly string[];
}

/** How it went. */
export interface Exported {
  /** Events, or frames of a pcapng. */
  readonly count: number;
  /** What could not be read, by file. */
  readonly damages: readonly { readonly file: string; readonly damage: Damage }[];
  /** What is wrong with a log that could be read to its end and is not as the run wrote it; undefined: nothing. */
  readonly altered: string | undefined;
}

/** Takes a part of what is made; the next one comes when the promise is fulfilled. */
export type Sink = (part: Uint8Array | string) => Promise<void>;

/** The files that a run directory, or a log alone, would be exported from. @throws OneclockError INPUT */
export function exportedFiles(path: string, format: Format): string[] {
  const log = findLog(path);
  if (format !== 'pcapng') return [log, join(dirname(log), COST_NAME)];
  const reader = new LogReader(log);
  reader.close();
  return [log, ...captureFiles(log, reader.header)];
}

/**
 * Exports a run, piece by piece, with memory that does not grow with its length. Where a file is damaged, what is before
 * the damage is exported.
 *
 * @param path a run directory or a run log
 * @throws OneclockError INPUT where there is no run, or no such name in it
 */
export async function exportRun(path: string, options: ExportOptions, sink: Sink): Promise<Exported> {
  const log = new LogReader(path);
  try {
    const wanted = select(ownerNames(log.header), options.names);
    return options.format === 'pcapng'
      ? await exportCaptures(log, options, sink)
      : await exportEvents(log, options, wanted, sink);
  } finally {
    log.close();
  }
}

async function exportEvents(
  log: LogReader,
  options: ExportOptions,
  wanted: ReadonlySet<number> | undefined,
  sink: Sink,
): Promise<Exported> {
  const { from, to } = options;
  const format = options.format as EventFormat;
  const cost = format === 'perfetto' ? findCost(log.file, options) : undefined;
  const exporter = makeExporter(format, log, cost);
  let count = 0;
  let at = ZERO;
  let last: LoggedEvent | undefined;
  for (last = log.next(); last !== undefined && last.at < to; last = log.next()) {
    at = last.at;
    if (at < from || !(wanted?.has(last.node) ?? true)) continue;
    exporter.event(last);
    count++;
    if (exporter.size >= CHUNK) await sink(exporter.take());
  }
  const end = log.end !== undefined && log.end.virtualNs < to ? log.end : undefined;
  if (end !== undefined) at = end.virtualNs as Instant;
  exporter.close({ at, end, damage: log.damage });
  await sink(exporter.take());
  const damages = [
    { file: log.file, damage: log.damage },
    { file: join(dirname(log.file), COST_NAME), damage: cost?.damage },
  ];
  return {
    count,
    damages: damages.flatMap(({ file, damage }) => (damage ? [{ file, damage }] : [])),
    altered: log.end !== undefined && log.damage === undefined ? alteration(log.file) : undefined,
  };
}

function makeExporter(format: EventFormat, { header }: LogReader, cost: RunCost | undefined): Exporter {
  switch (format) {
    case 'json':
      return new JsonLines(header);
    case 'csv':
      return new Csv(header);
    case 'perfetto':
      return new Perfetto(header, cost);
  }
}

/** What the run cost, as far as it is wanted; undefined where it is not known. */
function findCost(log: string, { from, to, names }: ExportOptions): RunCost | undefined {
  const file = join(dirname(log), COST_NAME);
  if (!existsSync(file)) return undefined;
  let cost: RunCost;
  try {
    cost = readCost(file);
  } catch (error) {
    // The run is there without it.
    return { nodes: [], samples: [], damage: { offset: 0, reason: (error as Error).message } };
  }
  const samples = cost.samples.filter(({ virtualNs }) => virtualNs >= from && virtualNs < to);
  if (names.length === 0) return { ...cost, samples };
  const wanted = cost.nodes.map((name) => names.includes(name));
  return {
    ...cost,
    samples: samples.map((each) => ({ ...each, nodes: each.nodes.filter(({ node }) => wanted[node]) })),
  };
}

async function exportCaptures(
  log: LogReader,
  { from, to, names }: ExportOptions,
  sink: Sink,
): Promise<Exported> {
  const { header, file } = log;
  const merge = new CaptureMerge(captureFiles(file, header), header.start, {
    from,
    to,
    wants: (name) => names.length === 0 || names.some((each) => name.startsWith(`${each}.`)),
  });
  try {
    let parts: Uint8Array[] = [];
    let size = 0;
    for (const block of merge.blocks()) {
      parts.push(Uint8Array.from(block));
      size += block.length;
      if (size < CHUNK) continue;
      await sink(Buffer.concat(parts));
      parts = [];
      size = 0;
    }
    await sink(Buffer.concat(parts));
    return {
      count: merge.frames,
      damages: merge.damages.flatMap(({ file: name, damage }) => (damage ? [{ file: name, damage }] : [])),
      altered: undefined,
    };
  } finally {
    merge.close();
  }
}

/** The indices of what has one of the names; undefined: all. */
function select(known: readonly string[], names: readonly string[]): ReadonlySet<number> | undefined {
  if (names.length === 0) return undefined;
  for (const name of names) {
    if (known.includes(name)) continue;
    const shown = known.slice(0, 20).join(', ') + (known.length > 20 ? ', …' : '');
    throw new OneclockError('INPUT', `--node: the run has no ${name}; it has ${shown}`);
  }
  return new Set(known.flatMap((name, index) => (names.includes(name) ? [index] : [])));
}

/** The end of time, as an instant that nothing is left out by. */
export const NO_END = (NEVER + 1n) as Instant;
