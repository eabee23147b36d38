// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { LogHeader } from '../../protocols/trace/index.js';
import { formatInstant, type Instant, instant } from '../calendar/index.js';
import { openRegular, readInto } from './byte-file.js';
import { describeEnd, describeEvent, escapeText, nodeName } from './describe-event.js';
import { type LoggedEvent, LogReader, RUN_LOG } from './log-reader.js';

/** Bytes that are compared at once. */
const CHUNK = 1_048_576;
/** Events before the first difference that are shown. */
const CONTEXT = 3;

/** Something of one run, or of both, in words. */
export interface DescribedEvent {
  /** Place in the log; undefined where it is the log's end or damage. */
  readonly index: number | undefined;
  /** Undefined where it is damage. */
  readonly at: Instant | undefined;
  /** A node, a switch, a wire, or `run`. */
  readonly node: string | undefined;
  readonly text: string;
}

/** A part of the header that differs: each side in words. */
export interface HeaderDifference {
  readonly field: string;
  readonly a: string;
  readonly b: string;
}

/** The first place at which two runs differ. */
export interface Divergence {
  /** How many events both runs have before it. */
  readonly index: number;
  readonly a: DescribedEvent;
  readonly b: DescribedEvent;
  /** The last events before it, which both runs have. */
  readonly before: readonly DescribedEvent[];
  /** The last events before it of the nodes that it is about. */
  readonly beforeOnNode: ReadonlyMap<string, readonly DescribedEvent[]>;
}

/**
 * What two runs have in common.
 *
 * - `identical`: the logs are the same, byte for byte, or say the same.
 * - `different`: the headers differ, or an event, or the end.
 * - `damaged`: no difference was found, but a log could be read only in part; the divergence says which and where.
 */
export interface RunDiff {
  readonly verdict: 'identical' | 'different' | 'damaged';
  readonly files: readonly [a: string, b: string];
  readonly header: readonly HeaderDifference[];
  readonly divergence: Divergence | undefined;
}

/**
 * Finds the first difference of two runs.
 *
 * @param pathA a run directory or a run log, as is `pathB`
 * @throws OneclockError INPUT where one of them is no run log, or the file cannot be read
 */
export function diffRuns(pathA: string, pathB: string): RunDiff {
  const a = new LogReader(pathA);
  try {
    const b = new LogReader(pathB);
    try {
      const files = [a.file, b.file] as const;
      if (sameBytes(a.file, b.file))
        return { verdict: 'identical', files, header: [], divergence: undefined };
      const header = compareHeaders(a.header, b.header);
      const divergence = findDivergence(a, b);
      const damaged = header.length === 0 && divergence !== undefined && isDamage(divergence);
      const same = header.length === 0 && divergence === undefined;
      return { verdict: damaged ? 'damaged' : same ? 'identical' : 'different', files, header, divergence };
    } finally {
      b.close();
    }
  } finally {
    a.close();
  }
}

/** A difference as `oneclock diff` prints it; the last line ends without a newline. */
export function formatDiff(diff: RunDiff): string {
  if (diff.verdict === 'identical') return 'the runs are identical';
  const lines = [`A is ${escapeText(diff.files[0])}`, `B is ${escapeText(diff.files[1])}`];
  for (const { field, a, b } of diff.header) lines.push(`${field}: ${a} in A, ${b} in B`);
  const { divergence } = diff;
  if (divergence === undefined) {
    lines.push('no event differs');
    return lines.join('\n');
  }
  const { index, before, beforeOnNode } = divergence;
  lines.push(
    diff.verdict === 'damaged'
      ? `no difference in the ${index} events that could be read:`
      : `the first difference is event ${index}:`,
    `  A ${line(divergence.a)}`,
    `  B ${line(divergence.b)}`,
  );
  if (before.length > 0) lines.push('before it, in both:', ...before.map(indented));
  for (const [node, events] of beforeOnNode) {
    if (events.length > 0) lines.push(`before it, in both, at ${node}:`, ...events.map(indented));
  }
  return lines.join('\n');
}

function indented(event: DescribedEvent): string {
  return `    ${line(event)}`;
}

function line({ index, at, node, text }: DescribedEvent): string {
  const parts = [
    index === undefined ? '' : `#${index}`,
    at === undefined ? '' : formatInstant(at),
    node ?? '',
    text,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function compareHeaders(a: LogHeader, b: LogHeader): HeaderDifference[] {
  const differences: HeaderDifference[] = [];
  const fields = ['topology', 'seed', 'start', 'nodes', 'links', 'switches', 'wires', 'shared'] as const;
  for (const field of fields) {
    if (isDeepStrictEqual(a[field], b[field])) continue;
    differences.push({ field, ...describeDifference(a[field], b[field]) });
  }
  return differences;
}

/** Lists are told by their first element that differs. */
function describeDifference(
  a: LogHeader[keyof LogHeader],
  b: LogHeader[keyof LogHeader],
): { a: string; b: string } {
  if (typeof a !== 'object' || typeof b !== 'object') return { a: escapeText(`${a}`), b: escapeText(`${b}`) };
  let place = 0;
  while (isDeepStrictEqual(a[place], b[place])) place++;
  const describe = (list: typeof a) =>
    place < list.length
      ? `${list.length}, number ${place} being ${escapeText(JSON.stringify(list[place]))}`
      : `${list.length}`;
  return { a: describe(a), b: describe(b) };
}

function findDivergence(a: LogReader, b: LogReader): Divergence | undefined {
  const before: LoggedEvent[] = [];
  const byNode = new Map<string, LoggedEvent[]>();
  for (let index = 0; ; index++) {
    const [left, right] = [a.next(), b.next()];
    if (left === undefined && right === undefined && sameEnd(a, b)) return undefined;
    if (left !== undefined && right !== undefined && sameEvent(a, left, b, right)) {
      remember(before, left);
      const node = nodeName(a.header, left.node);
      const events = byNode.get(node) ?? [];
      byNode.set(node, events);
      remember(events, left);
      continue;
    }
    const describe = (event: LoggedEvent) => describeLogged(a.header, event);
    const sides = { a: describeNext(a, left), b: describeNext(b, right) };
    const nodes = new Set([sides.a.node, sides.b.node].filter((node) => node !== undefined));
    return {
      index,
      ...sides,
      before: before.map(describe),
      beforeOnNode: new Map([...nodes].map((node) => [node, (byNode.get(node) ?? []).map(describe)])),
    };
  }
}

function remember(events: LoggedEvent[], event: LoggedEvent): void {
  if (events.length === CONTEXT) events.shift();
  events.push(event);
}

/** Nodes are compared by name, so that runs of topologies that differ can be compared, too. */
function sameEvent(a: LogReader, left: LoggedEvent, b: LogReader, right: LoggedEvent): boolean {
  return (
    left.at === right.at &&
    nodeName(a.header, left.node) === nodeName(b.header, right.node) &&
    isDeepStrictEqual(left.event, right.event)
  );
}

function sameEnd(a: LogReader, b: LogReader): boolean {
  return a.damage === undefined && b.damage === undefined && isDeepStrictEqual(a.end, b.end);
}

function isDamage({ a, b }: Divergence): boolean {
  return a.at === undefined || b.at === undefined;
}

/** What comes next in a log: an event, the damage, or the end. */
function describeNext(reader: LogReader, event: LoggedEvent | undefined): DescribedEvent {
  if (event !== undefined) return describeLogged(reader.header, event);
  const { damage, end } = reader;
  if (damage !== undefined || end === undefined) {
    const text = `the log is damaged at byte ${damage?.offset}: ${damage?.reason}`;
    return { index: undefined, at: undefined, node: undefined, text };
  }
  return { index: undefined, at: instant(end.virtualNs), node: undefined, text: describeEnd(end) };
}

function describeLogged(header: LogHeader, { index, at, node, event }: LoggedEvent): DescribedEvent {
  return { index, at, node: nodeName(header, node), text: describeEvent(header, node, at, event) };
}

/** Most comparisons are of runs that are the same; this finds it out without decoding them. */
function sameBytes(fileA: string, fileB: string): boolean {
  const a = openRegular(fileA, RUN_LOG);
  try {
    const b = openRegular(fileB, RUN_LOG);
    try {
      const [left, right] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
      for (;;) {
        const [inA, inB] = [readFully(fileA, a, left), readFully(fileB, b, right)];
        if (inA !== inB || left.compare(right, 0, inB, 0, inA) !== 0) return false;
        if (inA < CHUNK) return true;
      }
    } finally {
      closeSync(b);
    }
  } finally {
    closeSync(a);
  }
}

function readFully(file: string, descriptor: number, buffer: Buffer): number {
  let used = 0;
  while (used < buffer.length) {
    const read = readInto(file, RUN_LOG, descriptor, buffer, used);
    if (read === 0) break;
    used += read;
  }
  return used;
}
