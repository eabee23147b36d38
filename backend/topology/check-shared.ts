// SPDX-License-Identifier: MIT
import { VARIABLE_JIFFIES } from '../../protocols/hypercall/constants.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import { hint } from './suggest.js';
import type { Survey } from './survey.js';

/** The name of the variable that needs no number. */
const JIFFIES = 'jiffies';

/** What is known of a node from the variables before. */
interface Known {
  readonly variables: Map<unknown, string>;
  readonly method: unknown;
  readonly name: string;
}

/** Shared variables have numbers of their own, and are between KVM guests that can say what they are. */
export function checkShared(survey: Survey, plain: Plain, report: DocumentReporter): void {
  const shared = valueAt(plain.value, ['shared']);
  const names = new Map<string, Path>();
  const known = new Map<string, Known>();
  for (const [index, each] of (Array.isArray(shared) ? shared : []).entries()) {
    const path = ['shared', index];
    const name = valueAt(each, ['name']);
    if (!isPlainMap(each) || typeof name !== 'string') continue;
    const first = names.get(name);
    if (first) {
      report.atValue(
        [...path, 'name'],
        `the name '${name}' is already that of another shared variable (line ${report.lineOf(first)}); take another`,
      );
    }
    names.set(name, path);
    const number = valueAt(each, ['variable']) ?? (name === JIFFIES ? VARIABLE_JIFFIES : undefined);
    if (number === undefined)
      report.atKey(
        path,
        `expected the number of '${name}', which the guests register; found none; add variable: 2`,
      );
    checkNodes(survey, plain, path, { name, number, method: valueAt(each, ['method']) }, known, report);
  }
}

function checkNodes(
  survey: Survey,
  plain: Plain,
  path: Path,
  { name, number, method }: { readonly name: string; readonly number: unknown; readonly method: unknown },
  known: Map<string, Known>,
  report: DocumentReporter,
): void {
  const between = valueAt(plain.value, [...path, 'between']);
  const here = new Set<unknown>();
  for (const [index, node] of (Array.isArray(between) ? between : []).entries()) {
    const at = [...path, 'between', index];
    if (typeof node !== 'string') continue;
    if (here.has(node)) {
      report.atValue(at, `node '${node}' already shares it; name another`);
      continue;
    }
    here.add(node);
    if (!checkNode(survey, plain, node, at, report)) continue;
    const before = known.get(node);
    const other = before?.variables.get(number);
    if (other !== undefined)
      report.atValue(
        at,
        `expected a variable of another number than ${number}, which node '${node}' shares as '${other}'; found the same; change \`variable\``,
      );
    if (before && before.method !== method)
      report.atValue(
        at,
        `expected one method for all that node '${node}' shares; found ${before.method} for '${before.name}' and ${method} for '${name}'; use one`,
      );
    const variables = before?.variables ?? new Map<unknown, string>();
    variables.set(number, name);
    known.set(node, before ?? { variables, method, name });
  }
}

/** @returns whether it can share variables */
function checkNode(survey: Survey, plain: Plain, node: string, at: Path, report: DocumentReporter): boolean {
  if (survey.nodes === undefined) return false;
  const found = survey.nodes.get(node);
  if (found === undefined) {
    const names = [...survey.nodes.keys()];
    report.atValue(at, `expected a node of this file; found '${node}'${hint(node, names, 'the nodes are')}`);
    return false;
  }
  const value = valueAt(plain.value, found.path);
  const [kind, clock = 'paravirtual'] = [valueAt(value, ['kind']), valueAt(value, ['clock'])];
  if (kind === 'kvm' && clock === 'paravirtual') return true;
  report.atValue(
    at,
    `expected a node of \`kind: kvm\` with a paravirtual clock, which can share variables; found '${node}', which is not; take it off the list`,
  );
  return false;
}
