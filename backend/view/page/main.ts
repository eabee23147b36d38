// SPDX-License-Identifier: MIT
import { App } from './app.js';
import { byId } from './dom.js';

/** A page that cannot show its run says why, and nothing else. */
function failed(error: unknown): void {
  byId('loading').hidden = false;
  byId('loading').classList.add('failed');
  byId('progress').textContent =
    `This run cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
}

try {
  App.start().catch(failed);
} catch (error) {
  failed(error);
}
