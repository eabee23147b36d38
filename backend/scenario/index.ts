// SPDX-License-Identifier: MIT
/** What a script imports from `oneclock`. */
export { OneclockError } from '../errors.js';
export type { SeenFrame } from '../run/stage.js';
export type { CableChange } from './cable-change.js';
export type { TextLine } from './console.js';
export * from './engine/index.js';
export type { Expect, Matchers } from './expect.js';
export type { FrameFilter, Link } from './link.js';
export type { ScriptInterface, ScriptNode } from './node.js';
export type { CommandLine, Ended, ExecOptions, Executed, ScriptProgram, SpawnOptions } from './program.js';
export {
  type Params,
  type Scenario,
  type ScenarioOptions,
  type Scene,
  scenario,
  type TopologyFile,
  type TopologyShape,
  type TopologySource,
} from './scenario.js';
export type { Found, Pattern } from './text-stream.js';
export type { Edge, Wire } from './wire.js';
