// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';

/** Opens the user's browser where there is a screen to show it on; that it cannot be opened is no error. */
export function openBrowser(url: string, environment: NodeJS.ProcessEnv = process.env): void {
  const { DISPLAY, WAYLAND_DISPLAY, BROWSER } = environment;
  if (!DISPLAY && !WAYLAND_DISPLAY && !BROWSER) return;
  const child = spawn(BROWSER || 'xdg-open', [url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
