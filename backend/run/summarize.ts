// SPDX-License-Identifier: MIT
import type { Instant } from '../calendar/index.js';
import { exitStatus } from '../errors.js';
import type { Topology, WireSpec } from '../topology/model.js';
import type { RunNode } from './node.js';
import {
  type BoardResult,
  type LinkResult,
  milliseconds,
  type RunResult,
  type ScriptResult,
  type SharedResult,
  seedOf,
  type WireResult,
} from './result.js';

/** All that is known of a run at its end. */
export interface RunEnd {
  readonly topology: Pick<Topology, 'name' | 'seed' | 'links' | 'switches' | 'wires' | 'shared'>;
  readonly at: Instant;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly events: number;
  readonly activations: number;
  readonly traceHash: string;
  /** What ended it before its time; undefined: nothing did. */
  readonly error: unknown;
  /** What is not as it was expected to be. */
  readonly disappointments: readonly string[];
  /** Undefined: there was no script. */
  readonly script: ScriptResult | undefined;
  readonly nodes: readonly {
    readonly node: RunNode;
    readonly cpuMs: number;
    /** What is known of boards alone. */
    readonly more: Partial<BoardResult>;
  }[];
  link(name: string): LinkResult;
  wire(spec: WireSpec): WireResult;
  shared(name: string): SharedResult;
}

/** The result of a run. */
export function summarize(end: RunEnd): RunResult {
  const { topology, error } = end;
  const reason =
    error === undefined
      ? end.disappointments.join('; ') || null
      : error instanceof Error
        ? error.message
        : String(error);
  return {
    status: error !== undefined ? 'error' : reason === null ? 'ok' : 'failed',
    exitCode: error !== undefined ? exitStatus(error) : reason === null ? 0 : 1,
    reason,
    name: topology.name,
    virtualNs: end.at.toString(),
    wallMs: milliseconds(end.wallMs),
    cpuMs: milliseconds(end.cpuMs),
    seed: seedOf(topology.seed),
    events: end.events,
    activations: end.activations,
    traceHash: end.traceHash,
    nodes: Object.fromEntries(
      end.nodes.map(({ node, cpuMs, more }) => [
        node.spec.name,
        {
          kind: node.spec.kind,
          state: node.state,
          exit: node.exit ?? null,
          signal: node.signal ?? null,
          endedNs: node.endedAt?.toString() ?? null,
          cpuMs: milliseconds(cpuMs),
          reason: node.reason ?? null,
          expected: node.expected ?? null,
          unmet: node.disappointment ?? null,
          ...more,
        },
      ]),
    ),
    links: named([...topology.links, ...topology.switches], ({ name }) => end.link(name)),
    wires: named(topology.wires, end.wire),
    shared: named(topology.shared, ({ name }) => end.shared(name)),
    ...(end.script && { script: end.script }),
  };
}

function named<Spec extends { readonly name: string }, Value>(
  specs: readonly Spec[],
  value: (spec: Spec) => Value,
): Record<string, Value> {
  return Object.fromEntries(specs.map((spec) => [spec.name, value(spec)]));
}
