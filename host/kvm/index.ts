// SPDX-License-Identifier: MIT
export { type Entry, Machine, type MachineEnd, type MachineHandler, type MachineOptions } from './machine.js';
export { whyNoKvm } from './probe.js';
export type { Registers } from './registers.js';
