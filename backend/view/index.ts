// SPDX-License-Identifier: MIT
export { openBrowser } from './open-browser.js';
export { wholePage } from './page-text.js';
export { findRunFiles, type RunFiles } from './run-files.js';
export { ViewServer } from './server.js';
export { type Watch, watch } from './watch.js';
