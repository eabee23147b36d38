// SPDX-License-Identifier: MIT
import type * as z from 'zod/mini';
import { describe, shorten } from './found.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import { formatPath, type Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import { hint, suggest } from './suggest.js';

type Issue = z.core.$ZodIssue;

/** Reports what the schema found wrong in `plain`, in sentences and where it is. */
export function explain(issues: readonly Issue[], plain: Plain, report: DocumentReporter): void {
  for (const issue of issues) explainOne(issue, [], plain, report);
}

function explainOne(issue: Issue, base: Path, plain: Plain, report: DocumentReporter): void {
  const path: Path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(', ');
    for (const key of issue.keys)
      report.bare(
        [...path, key],
        'key',
        `unknown key '${shorten(key)}'${inside(path)}${hint(key, known, 'the keys are')}`,
      );
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = likelyBranch(issue.errors);
    if (branch !== undefined) {
      for (const inner of branch) explainOne(inner, path, plain, report);
      return;
    }
  }
  const reason = issue.code === 'custom' ? valueAt(issue.params, ['reason']) : undefined;
  if (typeof reason === 'string') {
    report.atValue(path, reason);
    return;
  }
  const key = path.at(-1);
  const around = path.slice(0, -1);
  if (typeof key === 'string' && !hasKey(valueAt(plain.value, around), key)) {
    report.bare(around, 'value', `missing key '${key}'${inside(around)}; expected ${issue.message}`);
    return;
  }
  const found = valueAt(plain.value, path);
  const meant = typeof found === 'string' ? suggest(found, wordsOf(issue)) : undefined;
  report.atValue(
    path,
    `expected ${issue.message}; found ${describe(found)}${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
  );
}

/** The branch of a union that the author had in mind: the only one whose outermost type fits. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const likely = branches.filter(
    (issues) =>
      !issues.some(
        (issue) =>
          issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value'),
      ),
  );
  return likely.length === 1 ? likely[0] : undefined;
}

/** The words that would have been right, where the value is one of a few. */
function wordsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(wordsOf);
  return [];
}

function hasKey(value: unknown, key: string): boolean {
  return isPlainMap(value) && Object.hasOwn(value, key);
}

function inside(path: Path): string {
  return path.length === 0 ? '' : ` in ${formatPath(path)}`;
}
