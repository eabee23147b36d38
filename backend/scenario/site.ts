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
