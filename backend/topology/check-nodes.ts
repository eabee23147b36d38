// SPDX-License-Identifier: MIT
import { MAX_ADDRESSES, MAX_INTERFACES, MAX_RUN } from './limits.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import { suggest } from './suggest.js';
import type { Survey } from './survey.js';

/**
 * There is something to run, the run has an end, and what is expected can come about.
 *
 * @param hasUntil the command states an end
 */
export function checkNodes(survey: Survey, plain: Plain, hasUntil: boolean, report: DocumentReporter): void {
  if (survey.nodes === undefined) return;
  if (survey.nodes.size === 0) {
    report.atValue(['nodes'], 'expected at least one node; found none; add one, such as a: { kind: uml }');
    return;
  }
  // A misspelt `run` or `until` is reported as such, and not also as missing.
  for (const { path } of survey.nodes.values()) checkSize(path, plain, report);
  let ends = hasUntil || plain.keysOf([]).some((key) => isLike(key, 'until'));
  for (const { path } of survey.nodes.values()) {
    const node = valueAt(plain.value, path);
    const runs = !isPlainMap(node) || plain.keysOf(path).some((key) => isLike(key, 'run'));
    ends ||= runs;
    if (!runs && valueAt(node, ['kind']) !== 'partition' && isPlainMap(valueAt(node, ['expect'])))
      report.atValue(
        [...path, 'expect'],
        'expected a `run` in this node, whose exit status can be compared; found none; add `run`, or write running',
      );
  }
  if (!ends)
    report.bare(
      [],
      'value',
      'expected `until`, or a node with `run`; found neither, so the run would never end; add `until: 60s`',
    );
}

/** The guest's init takes so much of a description, and no more. */
function checkSize(path: Path, plain: Plain, report: DocumentReporter): void {
  const node = valueAt(plain.value, path);
  const run = valueAt(node, ['run']);
  const bytes = typeof run === 'string' ? Buffer.byteLength(run) : 0;
  if (bytes > MAX_RUN)
    report.atValue(
      [...path, 'run'],
      `expected a command of at most ${MAX_RUN} bytes; found ${bytes}; put it into a file`,
    );
  const interfaces = valueAt(node, ['interfaces']);
  if (!isPlainMap(interfaces)) return;
  const all = plain.keysOf([...path, 'interfaces']);
  if (all.length > MAX_INTERFACES)
    report.atValue(
      [...path, 'interfaces'],
      `expected at most ${MAX_INTERFACES} interfaces; found ${all.length}`,
    );
  const addresses = all.flatMap((name) => [valueAt(interfaces, [name, 'address']) ?? []].flat()).length;
  if (addresses > MAX_ADDRESSES)
    report.atValue(
      [...path, 'interfaces'],
      `expected at most ${MAX_ADDRESSES} addresses; found ${addresses}`,
    );
}

function isLike(key: string, word: string): boolean {
  return suggest(key, [word]) !== undefined;
}
