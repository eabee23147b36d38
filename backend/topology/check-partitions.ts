// SPDX-License-Identifier: MIT
import { LINES } from '../../protocols/hypercall/constants.js';
import { type Duration, formatDuration, parseDuration } from '../calendar/time.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import { hint } from './suggest.js';
import type { Survey } from './survey.js';

/** What a partition has none of. */
const OTHERS = ['root', 'kernel', 'clock', 'interfaces', 'run', 'tdf'];

/** Partitions are programs that have one processor each, whose slots follow each other within its frame. */
export function checkPartitions(survey: Survey, plain: Plain, report: DocumentReporter): void {
  const partitions = checkPrograms(survey, plain, report);
  const owners = new Map<string, Path>();
  const names = new Map<unknown, Path>();
  for (const [index, processor] of list(plain, ['processors']).entries()) {
    const path = ['processors', index];
    if (!isPlainMap(processor)) continue;
    const name = valueAt(processor, ['name']);
    const other = names.get(name);
    if (other)
      report.atValue(
        [...path, 'name'],
        `the name '${name}' is already that of another processor (line ${report.lineOf(other)}); take another`,
      );
    else if (name !== undefined) names.set(name, [...path, 'name']);
    checkSlots(plain, path, report);
    checkOwners(survey, plain, path, partitions, owners, report);
    checkLines(plain, path, report);
  }
  for (const [name, path] of partitions ?? []) {
    if (owners.has(name)) continue;
    report.atKey(
      path,
      `expected a slot of '${name}' in one of \`processors\`, without which it never runs; found none; add one`,
    );
  }
}

/** @returns where each partition is; undefined where nothing can be said about nodes */
function checkPrograms(
  survey: Survey,
  plain: Plain,
  report: DocumentReporter,
): Map<string, Path> | undefined {
  if (survey.nodes === undefined) return undefined;
  const partitions = new Map<string, Path>();
  for (const { name, path } of survey.nodes.values()) {
    const node = valueAt(plain.value, path);
    if (!isPlainMap(node)) continue;
    const keys = plain.keysOf(path);
    if (valueAt(node, ['kind']) !== 'partition') {
      if (keys.includes('program'))
        report.atKey(
          [...path, 'program'],
          'expected `kind: partition` in a node with `program`; found another kind; remove it',
        );
      continue;
    }
    partitions.set(name, path);
    if (!keys.includes('program'))
      report.atValue(path, 'expected the `program` of a partition; found none; add program: FILE.elf');
    for (const key of keys.filter((each) => OTHERS.includes(each)))
      report.atKey(
        [...path, key],
        `expected no \`${key}\` in a partition, which has none; found one; remove it`,
      );
    if (isPlainMap(valueAt(node, ['expect'])) && valueAt(node, ['expect', 'exit']) !== 0)
      report.atValue(
        [...path, 'expect'],
        'expected { exit: 0 } of a partition, which powers itself off, or running; found another status; change it',
      );
  }
  for (const net of survey.nets) {
    if (net.kind !== 'wire') continue;
    for (const { node, path, text } of net.members) {
      if (partitions.has(node))
        report.atValue(
          path,
          `expected a pin of a node with GPIO lines; found '${text}', of a partition; remove it`,
        );
    }
  }
  return partitions;
}

/** What has the wrong form is reported by the schema, and what comes behind it is compared with what is before it. */
function checkSlots(plain: Plain, path: Path, report: DocumentReporter): void {
  const frame = spanAt(plain, [...path, 'frame']);
  let free: Duration | undefined;
  for (const index of list(plain, [...path, 'slots']).keys()) {
    const slot = [...path, 'slots', index];
    const [at, length] = [spanAt(plain, [...slot, 'at']), spanAt(plain, [...slot, 'for'])];
    if (at === undefined || length === undefined) continue;
    const end = (at + length) as Duration;
    if (free !== undefined && at < free)
      report.atValue(
        [...slot, 'at'],
        `expected a slot at ${formatDuration(free)} or later, where the one before ends; found ${formatDuration(at)}`,
      );
    if (frame !== undefined && end > frame)
      report.atValue(
        slot,
        `expected a slot that ends within the frame of ${formatDuration(frame)}; found one that ends at ${formatDuration(end)}`,
      );
    free = end;
  }
}

function checkOwners(
  survey: Survey,
  plain: Plain,
  path: Path,
  partitions: ReadonlyMap<string, Path> | undefined,
  owners: Map<string, Path>,
  report: DocumentReporter,
): void {
  for (const index of list(plain, [...path, 'slots']).keys()) {
    const at = [...path, 'slots', index, 'partition'];
    const name = valueAt(plain.value, at);
    if (partitions === undefined || typeof name !== 'string') continue;
    const owner = owners.get(name);
    if (!partitions.has(name)) {
      const known = survey.nodes?.has(name) ? ', which is of another kind' : '';
      report.atValue(
        at,
        `expected a node of \`kind: partition\`; found '${name}'${known || hint(name, [...partitions.keys()], 'the partitions are')}`,
      );
    } else if (owner !== undefined && owner[1] !== path[1]) {
      report.atValue(
        at,
        `expected all slots of '${name}' in one processor; found one in another on line ${report.lineOf(owner)}; move it`,
      );
    } else if (owner === undefined) {
      owners.set(name, at);
    }
  }
}

function checkLines(plain: Plain, path: Path, report: DocumentReporter): void {
  const numbers = new Set<unknown>();
  for (const [index, line] of list(plain, [...path, 'lines']).entries()) {
    const number = valueAt(line, ['number']);
    if (typeof number === 'number' && number < LINES && numbers.has(number))
      report.atValue(
        [...path, 'lines', index, 'number'],
        `expected a line with a number of its own; found ${number} again; take another`,
      );
    numbers.add(number);
  }
}

function spanAt(plain: Plain, path: Path): Duration | undefined {
  const written = valueAt(plain.value, path);
  return typeof written === 'string' ? parseDuration(written) : undefined;
}

function list(plain: Plain, path: Path): readonly unknown[] {
  const value = valueAt(plain.value, path);
  return Array.isArray(value) ? value : [];
}
