// SPDX-License-Identifier: MIT
export { Hub, type HubPort } from './hub.js';
export { MAX_UNACKNOWLEDGED } from './link.js';
export { Member, type MemberPort } from './member.js';
export type { Method } from './order.js';
