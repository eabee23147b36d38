// SPDX-License-Identifier: MIT
import type { Stage } from '../run/stage.js';
import type { Simulation } from './engine/index.js';

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
