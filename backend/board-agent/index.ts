// SPDX-License-Identifier: MIT
export { BoardAgent, type BoardAgentOptions } from './agent.js';
export { AGENT_BOUNDS, type AgentBounds } from './bounds.js';
