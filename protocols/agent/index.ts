// SPDX-License-Identifier: MIT
export { AGENT_PORT, AgentDecoder, encodeFromGuest, type FromGuest, MAX_AGENT_MESSAGE } from './codec.js';
