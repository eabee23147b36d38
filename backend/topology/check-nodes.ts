// SPDX-License-Identifier: MIT
import { isPlainMap, type Plain, valueAt } from './plain.js';
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
  let ends = hasUntil || plain.keysOf([]).some((key) => isLike(key, 'until'));
  for (const { path } of survey.nodes.values()) {
    const node = valueAt(plain.value, path);
    const runs = !isPlainMap(node) || plain.keysOf(path).some((key) => isLike(key, 'run'));
    ends ||= runs;
    if (!runs && isPlainMap(valueAt(node, ['expect'])))
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

function isLike(key: string, word: string): boolean {
  return suggest(key, [word]) !== undefined;
}
