// SPDX-License-Identifier: MIT
export { createPartitionMachine, type PartitionMachineOptions } from './machine.js';
export {
  Partition,
  type PartitionMachine,
  type PartitionMachineHandler,
  type PartitionOptions,
  type PartitionOwner,
} from './partition.js';
export { type LineListener, PeriodicLine } from './periodic-line.js';
export { Schedule, type Slot, type SlotSpec } from './schedule.js';
