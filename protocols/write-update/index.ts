// SPDX-License-Identifier: MIT
export { MessageReader } from '../message-reader.js';
export { decodeWriteUpdate, encodeWriteUpdate } from './codec.js';
export * from './constants.js';
export type * from './messages.js';
