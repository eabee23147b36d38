// SPDX-License-Identifier: MIT
export { type Layout, layOut, type Way } from './layout.js';
export { Recording, type RecordingSource } from './recording-file.js';
export type {
  BoardResult,
  Distribution,
  LinkResult,
  NodeResult,
  NodeState,
  RunResult,
  WireResult,
} from './result.js';
export { Run, type RunOptions } from './run.js';
