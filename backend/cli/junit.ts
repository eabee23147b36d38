// SPDX-License-Identifier: MIT
import type { RunResult, ScriptResult } from '../run/result.js';

/** A test case of the report. */
interface Case {
  readonly name: string;
  /** What it is about: a node, or the run. */
  readonly of: string;
  /** Virtual time that it took; nanoseconds, decimal. */
  readonly atNs: string;
  readonly fault:
    | { readonly kind: 'failure' | 'error'; readonly type: string; readonly message: string }
    | undefined;
}

/** A run of a report. */
export interface ReportedRun {
  /** What its suite is called. */
  readonly name: string;
  /** Undefined: it ended without one. */
  readonly result: RunResult | undefined;
  /** Why it was not ok, where that is known. */
  readonly reason: string | null;
}

/** As {@link junitOf}, of one run. */
export function junit(result: RunResult, when = new Date()): string {
  return junitOf([{ name: result.name, result, reason: result.reason }], when);
}

/**
 * The results of runs as JUnit's XML, valid by the schema of Apache Ant: a suite for each run, a case for its coming to an
 * end, for each node with `expect`, for each expectation of a script, and for its end. Times of cases are virtual, that of the
 * suite is wall time; in seconds.
 *
 * @param when the time of day at which the last ended
 */
export function junitOf(runs: readonly ReportedRun[], when = new Date()): string {
  const suites = runs.flatMap((run, id) => suiteLines(run, id, when));
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join(
    '\n',
  );
}

function suiteLines({ name, result, reason }: ReportedRun, id: number, when: Date): string[] {
  const cases = result ? casesOf(result) : [lostCase(reason)];
  const count = (kind: string) => cases.filter(({ fault }) => fault?.kind === kind).length;
  const suite = attributes({
    id,
    name,
    package: 'oneclock',
    hostname: 'localhost',
    timestamp: when.toISOString().slice(0, 19),
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: 0,
    time: ((result?.wallMs ?? 0) / 1000).toFixed(3),
  });
  const { seed, virtualNs, events, activations, traceHash } = result ?? {};
  const properties = Object.entries({ seed, virtualNs, events, activations, traceHash });
  return [
    `  <testsuite${suite}>`,
    '    <properties>',
    ...properties
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `      <property${attributes({ name: key, value: String(value) })}/>`),
    '    </properties>',
    ...cases.map((each) => caseElement(name, each)),
    '    <system-out/>',
    `    <system-err>${escapeXml(reason ?? '')}</system-err>`,
    '  </testsuite>',
  ];
}

/** Of a run that left no result. */
function lostCase(reason: string | null): Case {
  const message = reason ?? 'it left no result';
  return { name: 'comes to its end', of: 'run', atNs: '0', fault: { kind: 'error', type: 'error', message } };
}

function casesOf({ status, reason, virtualNs, nodes, script }: RunResult): Case[] {
  const message = reason ?? 'no reason is known';
  return [
    {
      name: 'comes to its end',
      of: 'run',
      atNs: virtualNs,
      fault: status === 'error' ? { kind: 'error', type: 'error', message } : undefined,
    },
    ...Object.entries(nodes).flatMap(([name, { expected, unmet, endedNs, reason: why }]): Case[] => {
      if (expected === null) return [];
      const text = why === null || unmet === null ? unmet : `${unmet}: ${why}`;
      return [
        {
          name: `${name} ${expected}`,
          of: name,
          atNs: endedNs ?? virtualNs,
          fault: text === null ? undefined : { kind: 'failure', type: 'expect', message: text },
        },
      ];
    }),
    ...(script ? [scriptCase(script)] : []),
    ...(script?.expectations ?? []).map(({ text, met, atNs, node }) => ({
      name: text,
      of: node ?? 'script',
      atNs,
      fault: met ? undefined : ({ kind: 'failure', type: 'expect', message: text } as const),
    })),
  ];
}

function scriptCase({ error, endedNs }: ScriptResult): Case {
  const fault = error === null ? undefined : ({ kind: 'failure', type: 'script', message: error } as const);
  return { name: 'script comes to its end', of: 'script', atNs: endedNs, fault };
}

function caseElement(run: string, { name, of, atNs, fault }: Case): string {
  const time = seconds(atNs);
  const head = `    <testcase${attributes({ name, classname: `${run}.${of}`, time })}`;
  if (fault === undefined) return `${head}/>`;
  const { kind, type, message } = fault;
  const where = `at ${time} s of virtual time, of ${of}`;
  return `${head}><${kind}${attributes({ message: `${message} (${where})`, type })}>${escapeXml(message)}\n${where}</${kind}></testcase>`;
}

/** Exact, also at the end of time, where a run is that has nothing left to do. */
function seconds(nanoseconds: string): string {
  const digits = nanoseconds.padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escapeXml(String(value)).replace(/[\t\n\r]/g, (found) => `&#${found.charCodeAt(0)};`)}"`,
    )
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no form at all for most control characters, for lone surrogates, U+FFFE and U+FFFF: they are left out. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (found) => ENTITIES[found] as string);
}
