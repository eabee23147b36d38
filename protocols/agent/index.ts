// SPDX-License-Identifier: MIT
export { AgentDecoder, encodeFromGuest, type FromGuest } from './codec.js';
export { AGENT_PORT, MAX_AGENT_MESSAGE } from './constants.js';
