// SPDX-License-Identifier: MIT
export { Cable, type CableStatistics, type Passage } from './cable.js';
export { egressSpec, linkCables, type SwitchCables, switchCables } from './cable-pairs.js';
export { describeFrame, formatMac } from './frame.js';
export { Random } from './random.js';
export { AGEING_TIME, LearningSwitch, TABLE_SIZE } from './switch.js';
