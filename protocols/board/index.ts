// SPDX-License-Identifier: MIT

export { MessageReader } from '../message-reader.js';
export * from './constants.js';
export { decodeFromBoard } from './decode-from-board.js';
export { checkRequest, decodeToBoard } from './decode-to-board.js';
export { encodeFromBoard, encodeToBoard } from './encode.js';
export type * from './messages.js';
