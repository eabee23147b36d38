// SPDX-License-Identifier: MIT
export {
  Connection,
  HELLO_MS,
  MAX_WAITING,
  type OpenPipe,
  type Pipe,
  type PipeHandler,
} from './connection.js';
export { Hub, type HubPort } from './hub.js';
export { HubServer, type HubServerHandler } from './hub-server.js';
export { MAX_UNACKNOWLEDGED } from './link.js';
export { Member, type MemberOptions, type MemberPort } from './member.js';
export type { Method } from './order.js';
export { RemoteHub } from './remote-hub.js';
export { connectGroup, MAX_CONTROLLERS, serveGroup } from './socket.js';
export { VariableMemory } from './variable-memory.js';
