// SPDX-License-Identifier: MIT
export { type Call, decodeCall, type GuestBounds } from './calls.js';
export * from './constants.js';
export { HypercallPage, type StartAnswer, type Started, type Warp } from './page.js';
