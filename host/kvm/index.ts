// SPDX-License-Identifier: MIT
export type { Notification } from './exits.js';
export { type LinuxOptions, loadLinux } from './linux.js';
export { type Entry, Machine, type MachineEnd, type MachineHandler, type MachineOptions } from './machine.js';
export { NO_REQUEST, type PlatformOptions, type Power } from './platform.js';
export { whyNoKvm } from './probe.js';
export type { Registers } from './registers.js';
