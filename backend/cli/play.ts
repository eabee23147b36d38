// SPDX-License-Identifier: MIT
import { dirname, resolve } from 'node:path';
import { type Duration, parseDuration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import type { Params, Scenario, TopologySource } from '../scenario/scenario.js';
import {
  loadTopology,
  type Overrides,
  problemsError,
  readTopology,
  type Topology,
} from '../topology/index.js';

/** The parameters of a scenario, with what the command line says of them. @throws OneclockError `INPUT` */
export function readParams({ options }: Scenario, given: ReadonlyMap<string, string>): Params {
  const defaults = options.params ?? {};
  const params: Record<string, string | number | boolean> = { ...defaults };
  for (const [name, text] of given) {
    const usual = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
    if (usual === undefined) {
      const known = Object.keys(defaults).join(', ') || 'none';
      throw new OneclockError(
        'INPUT',
        `--param ${name}: the scenario has no such parameter; known: ${known}`,
      );
    }
    params[name] = readParam(name, text, usual);
  }
  return params;
}

function readParam(name: string, text: string, usual: string | number | boolean): string | number | boolean {
  if (typeof usual === 'string') return text;
  if (typeof usual === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new OneclockError('INPUT', `--param ${name}: expected true or false; found '${text}'`);
  }
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new OneclockError(
    'INPUT',
    `--param ${name}: expected a number, as its default ${usual}; found '${text}'`,
  );
}

/** The topology of a scenario; undefined where it has none. @throws OneclockError `INPUT` that says every mistake */
export function topologyOf(
  script: string,
  { options }: Scenario,
  params: Params,
  overrides: Overrides,
): Topology | undefined {
  const { topology, until } = options;
  if (topology === undefined) return undefined;
  const bounded = { ...overrides, until: overrides.until ?? untilOf(script, until) };
  const source = typeof topology === 'function' ? made(script, () => topology(params)) : topology;
  const file = fileOf(source);
  if (file !== undefined) return readTopology(resolve(dirname(script), file), bounded);
  // JSON is YAML: one reader for both, and one list of mistakes.
  const name = `${script}, its topology`;
  const result = loadTopology(
    made(script, () => JSON.stringify(source, exactTimes, 2)),
    script,
    bounded,
  );
  if (result.problems !== undefined) throw problemsError(name, result.problems);
  return result.topology;
}

/** @throws OneclockError `INPUT` where the script's own topology cannot be made */
function made<T>(script: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof OneclockError) throw cause;
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    throw new OneclockError('INPUT', `${script}: its topology cannot be made: ${why}`, { cause });
  }
}

/** A time in nanoseconds, as a topology file writes it. */
function exactTimes(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}ns` : value;
}

function fileOf(source: TopologySource): string | undefined {
  if (typeof source === 'string') return source;
  return 'file' in source && typeof source.file === 'string' ? source.file : undefined;
}

/** @throws OneclockError `INPUT` */
export function untilOf(script: string, until: string | bigint | undefined): Duration | undefined {
  if (until === undefined) return undefined;
  const span = typeof until === 'bigint' ? (until as Duration) : parseDuration(String(until));
  if (span !== undefined && span > 0n) return span;
  throw new OneclockError(
    'INPUT',
    `${script}: until: expected a duration above zero with a unit, such as 60s`,
  );
}
