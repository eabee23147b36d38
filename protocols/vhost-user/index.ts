// SPDX-License-Identifier: MIT
export * from './header.js';
export { type MessageHandler, MessageStream } from './message-stream.js';
export * from './payloads.js';
export * from './requests.js';
