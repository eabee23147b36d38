// SPDX-License-Identifier: MIT
export * from './constants.js';
export { type Message, MessageDecoder, MessageEncoder } from './message.js';
export { Notifications } from './notifications.js';
export { SharedPage, sharedPageBytes } from './shared-page.js';
