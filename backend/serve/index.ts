// SPDX-License-Identifier: MIT
export { Server, type ServerEnd, type ServerOptions } from './server.js';
