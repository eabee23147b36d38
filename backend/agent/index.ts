// SPDX-License-Identifier: MIT
export { type ExecEvents, type ExecHandle, type ExecOptions, OUTPUT_WINDOW } from './program.js';
export { AgentSession } from './session.js';
export {
  DEFAULT_GET_LIMIT,
  type GetEvents,
  type GetOptions,
  type PutEvents,
  type PutOptions,
  type TransferHandle,
} from './transfer.js';
