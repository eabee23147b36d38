// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';

/** One mistake in a topology file. */
export interface Problem {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units, as editors count. */
  readonly column: number;
  /** The place in the document: `links[0].between[1]`; empty for the document itself. */
  readonly path: string;
  /** What was expected, what was found, and what to do. */
  readonly message: string;
}

/** The steps from the root of a document to a value: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[];

/** Beyond this many, a message only counts them: nobody reads more. */
const SHOWN = 50;

/** `problem` in the manner of a compiler: `FILE:LINE:COL: message`. */
export function formatProblem(file: string, problem: Problem): string {
  return `${file}:${problem.line}:${problem.column}: ${problem.message}`;
}

/** The error for `problems` of `file`: one line for each, and a count of those beyond the fiftieth. */
export function problemsError(file: string, problems: readonly Problem[]): OneclockError {
  const lines = problems.slice(0, SHOWN).map((problem) => formatProblem(file, problem));
  if (problems.length > SHOWN) lines.push(`${file}: and ${problems.length - SHOWN} more problems`);
  return new OneclockError('INPUT', lines.join('\n'));
}

/** `problems` in the order of the file, without repetitions. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const key = `${problem.line}:${problem.column}:${problem.message}`;
      return !seen.has(key) && seen.add(key);
    });
}

/** `path` as people write it: `nodes.a.interfaces.eth0`, `links[0].between[1]`, `nodes["a b"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]{1,64}$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step.length > 40 ? `${step.slice(0, 40)}…` : step)}]`;
  }
  return text;
}
