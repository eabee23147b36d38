// SPDX-License-Identifier: MIT
export type { Contender, Contenders, First, Outcomes } from './combine.js';
export { type Cancellable, DEFAULT_INSTANT_LIMIT, Engine, type EngineOptions } from './engine.js';
export { Cancelled, Preempted, TimedOut } from './interruptions.js';
export type { Body, Process, ProcessState } from './process.js';
export type { Signal, SimulationEvent } from './signal.js';
export { type SimulateOptions, simulate } from './simulate.js';
export { Simulation, type SimulationOptions } from './simulation.js';
export type { Span } from './span.js';
export type { Waiting } from './waiting.js';
