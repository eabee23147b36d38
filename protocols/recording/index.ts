// SPDX-License-Identifier: MIT
export { decodeEntry, decodeHeader, encodeEntry, encodeHeader } from './codec.js';
export * from './constants.js';
export { Framing, Unframing } from './framing.js';
export type * from './messages.js';
