// SPDX-License-Identifier: MIT
import * as z from 'zod/mini';
import { type Duration, instant } from '../calendar/time.js';
import { buildTopology } from './build.js';
import { checkAddresses } from './check-addresses.js';
import { checkBoards } from './check-boards.js';
import { checkChanges } from './check-changes.js';
import { checkHost } from './check-host.js';
import { checkKvm } from './check-kvm.js';
import { checkNames } from './check-names.js';
import { checkNodes } from './check-nodes.js';
import { checkPartitions } from './check-partitions.js';
import { checkReferences } from './check-references.js';
import { checkScript } from './check-script.js';
import { checkSerial } from './check-serial.js';
import { checkShared } from './check-shared.js';
import { checkWires } from './check-wires.js';
import { explain } from './explain.js';
import type { Topology } from './model.js';
import { toPlain } from './plain.js';
import { type Problem, sortProblems } from './problem.js';
import { DocumentReporter, Reporter } from './report.js';
import { nodeKeys, topologySchema } from './schema.js';
import { surveyOf } from './survey.js';
import { composeYaml, locatorOf } from './yaml-source.js';

/** What {@link loadTopology} gives: a topology, or every mistake in the order of the file. */
export type LoadResult =
  | { readonly topology: Topology; readonly problems?: undefined }
  | { readonly topology?: undefined; readonly problems: Problem[] };

/** What a command says instead of the file: `--seed`, `--until`. */
export interface Overrides {
  /** 0 … 2^64-1; the MAC addresses that are not in the file come from it as well. */
  readonly seed?: bigint | undefined;
  /** Above zero. */
  readonly until?: Duration | undefined;
}

/**
 * Reads and checks a topology. Pure: the same text and name give the same result.
 *
 * @param text the YAML text
 * @param file the name of the file, against whose folder paths in it are resolved
 */
export function loadTopology(text: string, file: string, overrides: Overrides = {}): LoadResult {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  const locate = locatorOf(body);
  const composed = composeYaml(body, locate);
  if (composed.document === undefined) return { problems: sortProblems(composed.problems) };

  const reporter = new Reporter(locate);
  const plain = toPlain(composed.document, reporter);
  if (!plain.complete) return { problems: sortProblems(reporter.problems) };

  const report = new DocumentReporter(reporter, plain);
  const parsed = z.safeParse(topologySchema, plain.value, { jitless: true });
  if (!parsed.success) explain(parsed.error.issues, plain, report);
  const survey = surveyOf(plain, nodeKeys);
  checkNames(survey, report);
  checkReferences(survey, report);
  checkWires(survey, report);
  checkBoards(survey, plain, report);
  checkHost(survey, plain, report);
  checkKvm(survey, plain, report);
  checkSerial(survey, plain, report);
  checkScript(survey, plain, report);
  checkShared(survey, plain, report);
  checkPartitions(survey, plain, report);
  checkAddresses(survey, plain, report);
  checkNodes(survey, plain, overrides.until !== undefined, report);
  checkChanges(survey, plain, report);
  if (!parsed.success || reporter.problems.length > 0) return { problems: sortProblems(reporter.problems) };

  const { data } = parsed;
  const seed = overrides.seed ?? data.seed;
  const until = overrides.until === undefined ? data.until : instant(overrides.until);
  return { topology: buildTopology({ ...data, seed, until }, plain, file) };
}
