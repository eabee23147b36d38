// SPDX-License-Identifier: MIT
export * from './constants.js';
export { decodeFromBoard } from './decode-from-board.js';
export { checkRequest, decodeToBoard } from './decode-to-board.js';
export { encodeFromBoard, encodeToBoard } from './encode.js';
export { MessageReader } from './framing.js';
export type * from './messages.js';
