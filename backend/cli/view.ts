// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { OneclockError } from '../errors.js';
import { findRunFiles, openBrowser, ViewServer, wholePage } from '../view/index.js';
import { endOnSignals } from './ending.js';
import { say } from './output.js';

export interface ViewOptions {
  readonly output?: string;
  readonly open?: boolean;
  readonly port?: number;
}

/** `oneclock view`. @returns the exit status */
export async function view(run: string, other: string | undefined, options: ViewOptions): Promise<number> {
  const runs = [run, other].filter((path) => path !== undefined).map(findRunFiles);
  for (const { label, left } of runs)
    for (const what of left) process.stderr.write(`oneclock: not shown of ${label}: ${what}\n`);
  if (options.output !== undefined) {
    try {
      writeFileSync(options.output, wholePage(runs));
    } catch (cause) {
      if (cause instanceof OneclockError) throw cause;
      throw new OneclockError('INPUT', `${options.output} cannot be written: ${String(cause)}`, { cause });
    }
    say(`written: ${options.output}`);
    return 0;
  }
  const server = await ViewServer.open(runs, { port: options.port ?? 0 });
  const close = () => server.close();
  const ending = endOnSignals(close, close);
  say(server.url);
  say('Ctrl-C ends it, and so does closing the page.');
  if (options.open !== false) openBrowser(server.url);
  await server.closed;
  // Ctrl-C is how this command is meant to end.
  return ending.exitStatus === 130 ? 0 : (ending.exitStatus ?? 0);
}
