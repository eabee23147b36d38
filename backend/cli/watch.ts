// SPDX-License-Identifier: MIT
import { setTimeout as pause } from 'node:timers/promises';
import { openBrowser, type Watch, watch } from '../view/index.js';

/** Between two looks whether a signal has come. */
const LOOK_MS = 100;

/** The page of a run that goes on. */
export interface Shown {
  /** The run has ended: waits until the page is closed, or `ending` says that a signal came. */
  leave(ending: () => boolean): Promise<void>;
}

/** Serves the page of a run whose directory is there, and says where. What goes wrong costs the page and not the run. */
export function watchRun({ out = '', open }: { readonly out?: string; readonly open?: boolean }): Shown {
  const begun: Promise<Watch | undefined> = watch(out).then(
    (watching) => {
      const { url } = watching.server;
      process.stderr.write(`oneclock: watch the run at ${url}\n`);
      if (open !== false) openBrowser(url);
      return watching;
    },
    (error: Error) => {
      process.stderr.write(`oneclock: --watch: ${error.message}\n`);
      return undefined;
    },
  );
  return {
    leave: async (ending) => {
      const watching = await begun;
      if (!watching) return;
      watching.finish();
      let closed = false;
      const { server } = watching;
      server.closed.then(() => {
        closed = true;
      });
      if (!ending()) process.stderr.write('oneclock: the page stays until it is closed, or until Ctrl-C\n');
      while (!closed && !ending()) await Promise.race([server.closed, pause(LOOK_MS)]);
      watching.close();
    },
  };
}
