// SPDX-License-Identifier: MIT
import type { Stage } from '../run/stage.js';
import type { Simulation, SimulationEvent, Span } from './engine/index.js';

/** What the parts of a scene share. */
export interface Site {
  readonly sim: Simulation;
  readonly stage: Stage;
  /** Calls what a script does about something; where it fails, also later, the script does. */
  perform(action: () => unknown): void;
  /** Has `action` called in a turn of the script at the present instant. */
  later(action: () => void): void;
}

const kept = new WeakSet<Promise<unknown>>();

/**
 * A promise that a script may await later than it fails: that is no failure of the script before it does. Nothing is attached
 * to it, since then V8 would not know who awaits it when a script that is stuck has to be explained.
 */
export function keep<T>(promise: Promise<T>): Promise<T> {
  kept.add(promise);
  return promise;
}

/** Whether a promise that failed, and that nobody awaits, is one of these. */
export function isKept(promise: Promise<unknown>): boolean {
  return kept.has(promise);
}

/**
 * Waits for an event that `begin` has brought about by what it listens to; what `begin` gives ends the listening.
 *
 * @param what it is, for messages
 * @throws TimedOut after `timeout` of virtual time; undefined: it is waited for until the run ends
 */
export function waitFor<T>(
  site: Site,
  what: string,
  timeout: Span | undefined,
  begin: (event: SimulationEvent<T>) => () => void,
): Promise<T> {
  return keep(wait(site, what, timeout, begin));
}

async function wait<T>(
  { sim }: Site,
  what: string,
  timeout: Span | undefined,
  begin: (event: SimulationEvent<T>) => () => void,
): Promise<T> {
  const event = sim.event<T>(what);
  const stop = begin(event);
  try {
    return await (timeout === undefined ? event : sim.timeout(event, timeout));
  } finally {
    stop();
  }
}
