// SPDX-License-Identifier: MIT

/** The name of the virtio console port that carries the agent's messages. */
export const AGENT_PORT = 'oneclock.agent';
/** Bytes in a message, without the size before it. */
export const MAX_AGENT_MESSAGE = 65536;
/** Bytes of output, input or content in one message. */
export const MAX_AGENT_DATA = 16384;
/** Bytes on their way to a guest, messages with the sizes before them, that it has not told to have taken. */
export const AGENT_WINDOW = 262144;
/** Bytes on their way to the standard input of a program that it has not taken. */
export const AGENT_STDIN_WINDOW = 65536;
/** Operations that a guest has under way at once. */
export const MAX_AGENT_OPERATIONS = 32;
/** Arguments of a program, and entries of its environment. */
export const MAX_AGENT_WORDS = 1024;
/** Bytes of a path. */
export const MAX_AGENT_PATH = 4095;
/** The most credit that an operation may have at once, in bytes. */
export const MAX_AGENT_CREDIT = 1073741824;
