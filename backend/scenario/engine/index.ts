// SPDX-License-Identifier: MIT
export type { Contender, Contenders, First, Outcomes } from './combine.js';
export type { Container, ContainerOptions } from './container.js';
export { type Cancellable, DEFAULT_INSTANT_LIMIT, Engine, type EngineOptions } from './engine.js';
export { Cancelled, Preempted, TimedOut } from './interruptions.js';
export type { Body, Process, ProcessState } from './process.js';
export { RandomStream } from './random.js';
export type { Grant, RequestOptions, Resource, ResourceOptions } from './resource.js';
export type { Signal, SimulationEvent } from './signal.js';
export { type SimulateOptions, simulate } from './simulate.js';
export { Simulation, type SimulationOptions } from './simulation.js';
export type { Span } from './span.js';
export { BatchMeans, Tally, type TimeWeighted } from './statistics.js';
export type { Store, StoreOptions } from './store.js';
export type { Waiting } from './waiting.js';
