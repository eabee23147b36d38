// SPDX-License-Identifier: MIT
export { DeviceLine } from './device-line.js';
export type { Direction, Edge, EdgeListener, Level, Line } from './line.js';
export { SysfsLine } from './sysfs-line.js';
