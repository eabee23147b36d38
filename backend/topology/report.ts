// SPDX-License-Identifier: MIT

import type { Plain } from './plain.js';
import { formatPath, type Path, type Problem } from './problem.js';
import type { Locator } from './yaml-source.js';

/** Collects problems, and knows where things are. */
export class Reporter {
  readonly problems: Problem[] = [];

  constructor(private readonly locate: Locator) {}

  /** A problem of the text at `offset`. */
  atOffset(offset: number, message: string, path: Path = []): void {
    this.problems.push({ ...this.locate(offset), path: formatPath(path), message });
  }

  lineOf(offset: number): number {
    return this.locate(offset).line;
  }
}

/** Collects problems of the values of one document. */
export class DocumentReporter {
  constructor(
    private readonly reporter: Reporter,
    private readonly plain: Plain,
  ) {}

  /** A problem of the value at `path`: `PATH: message`. */
  atValue(path: Path, message: string): void {
    this.reporter.atOffset(this.plain.offsetOf(path), prefix(path, message), path);
  }

  /** A problem of the key at the end of `path`: `PATH: message`. */
  atKey(path: Path, message: string): void {
    this.reporter.atOffset(this.plain.keyOffsetOf(path), prefix(path, message), path);
  }

  /** A problem of the value at `path`, or of the key at its end, whose message says itself what it is about. */
  bare(path: Path, where: 'key' | 'value', message: string): void {
    const offset = where === 'key' ? this.plain.keyOffsetOf(path) : this.plain.offsetOf(path);
    this.reporter.atOffset(offset, message, path);
  }

  /** The line of the value at `path`. */
  lineOf(path: Path): number {
    return this.reporter.lineOf(this.plain.offsetOf(path));
  }

  /** The line of the key at the end of `path`. */
  keyLineOf(path: Path): number {
    return this.reporter.lineOf(this.plain.keyOffsetOf(path));
  }
}

function prefix(path: Path, message: string): string {
  return path.length === 0 ? message : `${formatPath(path)}: ${message}`;
}
