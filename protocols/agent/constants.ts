// SPDX-License-Identifier: MIT

/** The name of the virtio console port that carries the agent's messages. */
export const AGENT_PORT = 'oneclock.agent';
/** Bytes in a message, without the size before it. */
export const MAX_AGENT_MESSAGE = 65536;
