// SPDX-License-Identifier: MIT
import { inspect, isDeepStrictEqual } from 'node:util';
import { formatInstant } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import type { ExpectationResult } from '../run/result.js';
import type { Simulation } from './engine/index.js';

/** What can be said of a value. Each throws `EXPECTATION` where it is not so. */
export interface Matchers<T> {
  toBe(expected: T | (T extends bigint ? bigint : never)): void;
  /** As deep as it goes. */
  toEqual(expected: unknown): void;
  toMatch(pattern: RegExp | string): void;
  toContain(part: unknown): void;
  toBeLessThan(limit: number | bigint): void;
  toBeAtMost(limit: number | bigint): void;
  toBeGreaterThan(limit: number | bigint): void;
  toBeAtLeast(limit: number | bigint): void;
  /** At most `by` away from `expected`. */
  toBeWithin(expected: number | bigint, by: number | bigint): void;
  toBeTruthy(): void;
  /** The opposite of what follows. */
  readonly not: Matchers<T>;
}

/** Looks at `value`; `what` names it in messages, and the node that it is about. */
export interface Expect {
  <T>(value: T, what?: string): Matchers<T>;
  /** Counts as an expectation that is not met. @throws OneclockError `EXPECTATION` */
  fail(why: string): never;
}

/**
 * The `expect` of a scene. All that was expected is kept, in order, for the result.
 *
 * @param node the node that it is about; undefined: none
 * @param stamp what a failure's message begins with, such as the virtual time
 */
export function makeExpect(sim: Simulation, kept: ExpectationResult[], node?: string): Expect {
  const keep = (met: boolean, text: string): void => {
    kept.push({ text, met, atNs: sim.now.toString(), node: node ?? null });
    if (met) return;
    const place = `at ${formatInstant(sim.now)} s${node === undefined ? '' : `, ${node}`}`;
    const error = new OneclockError('EXPECTATION', `${place}: expected ${text}`);
    throw error;
  };
  const expect = <T>(value: T, what?: string): Matchers<T> => matchers(value, what, keep, false);
  return Object.assign(expect, {
    fail: (why: string): never => {
      keep(false, why);
      throw new Error(why);
    },
  });
}

type Keep = (met: boolean, text: string) => void;

function matchers<T>(value: T, what: string | undefined, keep: Keep, negated: boolean): Matchers<T> {
  const shown = show(value);
  const subject = what === undefined ? shown : `${what}, ${shown},`;
  const check = (holds: boolean, relation: string): void =>
    keep(holds !== negated, `${subject} ${negated ? 'not ' : ''}${relation}`);
  const number = value as number | bigint;
  return {
    toBe: (expected) => check(Object.is(value, expected), `to be ${show(expected)}`),
    toEqual: (expected) => check(isDeepStrictEqual(value, expected), `to equal ${show(expected)}`),
    toMatch: (pattern) => {
      const text = String(value);
      check(
        typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0,
        `to match ${show(pattern)}`,
      );
    },
    toContain: (part) => check(contains(value, part), `to contain ${show(part)}`),
    toBeLessThan: (limit) => check(number < limit, `to be less than ${show(limit)}`),
    toBeAtMost: (limit) => check(number <= limit, `to be at most ${show(limit)}`),
    toBeGreaterThan: (limit) => check(number > limit, `to be greater than ${show(limit)}`),
    toBeAtLeast: (limit) => check(number >= limit, `to be at least ${show(limit)}`),
    toBeWithin: (expected, by) =>
      check(distance(number, expected) <= by, `to be within ${show(by)} of ${show(expected)}`),
    toBeTruthy: () => check(Boolean(value), 'to be truthy'),
    get not() {
      return matchers(value, what, keep, !negated);
    },
  };
}

function contains(value: unknown, part: unknown): boolean {
  if (typeof value === 'string') return value.includes(String(part));
  const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
  return isList && [...(value as Iterable<unknown>)].some((each) => isDeepStrictEqual(each, part));
}

function distance(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? b - a : a - b;
  return Math.abs(Number(a) - Number(b));
}

function show(value: unknown): string {
  return inspect(value, {
    depth: 4,
    maxStringLength: 200,
    maxArrayLength: 20,
    breakLength: Number.POSITIVE_INFINITY,
  });
}
