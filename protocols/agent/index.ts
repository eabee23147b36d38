// SPDX-License-Identifier: MIT
export { AgentDecoder, encodeFromGuest } from './codec.js';
export {
  AGENT_PORT,
  AGENT_STDIN_WINDOW,
  AGENT_WINDOW,
  MAX_AGENT_CREDIT,
  MAX_AGENT_DATA,
  MAX_AGENT_MESSAGE,
  MAX_AGENT_OPERATIONS,
} from './constants.js';
export type {
  AgentAnswer,
  AgentEnd,
  ExecRequest,
  FromGuest,
  GuestReport,
  TerminalSize,
  ToGuest,
} from './messages.js';
export { isReport } from './messages.js';
export { encodeToGuest } from './to-guest.js';
