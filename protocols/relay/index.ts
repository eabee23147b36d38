// SPDX-License-Identifier: MIT
export { MAX_RELAY_DATA, RELAY_HEADER, RELAY_PORT, RELAY_WINDOW, RelayFrame } from './constants.js';
export { encodeCredit, encodeFrame, type Frame, FrameReader, readCredit } from './frame.js';
