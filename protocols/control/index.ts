// SPDX-License-Identifier: MIT
export { MessageReader } from '../message-reader.js';
export { decodeFromRun, decodeToRun, encodeFromRun, encodeToRun, frame } from './codec.js';
export * from './constants.js';
export type * from './messages.js';
