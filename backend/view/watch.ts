// SPDX-License-Identifier: MIT
import { existsSync, type FSWatcher, watch as watchFolder } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { OneclockError } from '../errors.js';
import { LogReader } from '../trace/log-reader.js';
import { findRunFiles, type RunFiles } from './run-files.js';
import { ViewServer } from './server.js';

/** Pages are told of more this often at most. */
const STEP_MS = 200;
/** A run writes its log's first bytes at its beginning. */
const BEGIN_MS = 30_000;

/** A page that follows a run that goes on. */
export interface Watch {
  readonly server: ViewServer;
  /** The run has ended: what is there now is all. Later calls do nothing. */
  finish(): void;
  /** Ends all. */
  close(): void;
}

/**
 * Serves the page of a run that goes on, and follows its files: the page gets what they have more, as it comes.
 *
 * The run need not have begun: its log is waited for. That the log has an end is seen; a run that is cut short leaves none,
 * so who knows that it is over says so by {@link Watch.finish}.
 *
 * @throws OneclockError INPUT where no run log appears within 30 s; MACHINE where the port cannot be had
 */
export async function watch(runDirectory: string, options: { readonly port?: number } = {}): Promise<Watch> {
  const first = await begun(runDirectory);
  const server = await ViewServer.open([first], { ...options, live: true });
  let told = sizesOf(first);
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  const stop = () => {
    clearTimeout(timer);
    for (const each of watchers) each.close();
    watchers = [];
  };
  const look = (finished: boolean) => {
    timer = undefined;
    let now: RunFiles;
    try {
      now = findRunFiles(runDirectory);
    } catch {
      // It is gone: what the pages have is all.
      stop();
      return;
    }
    const ended = finished || now.files.some(({ name }) => name === 'result.json');
    const sizes = sizesOf(now);
    if (sizes === told && !ended) return;
    told = sizes;
    server.grown(now, ended);
    if (ended) stop();
  };
  const soon = () => {
    timer ??= setTimeout(() => look(false), STEP_MS);
  };
  watchers = [runDirectory, join(runDirectory, 'pcap')]
    .filter((folder) => existsSync(folder))
    .map((folder) => watchFolder(folder, soon));
  // What was written between the first look and now.
  soon();
  server.closed.then(stop);
  return {
    server,
    finish: () => {
      if (watchers.length === 0) return;
      stop();
      look(true);
    },
    close: () => {
      stop();
      server.close();
    },
  };
}

/** The files of a run as soon as its log has begun. */
async function begun(runDirectory: string): Promise<RunFiles> {
  const end = performance.now() + BEGIN_MS;
  for (;;) {
    try {
      new LogReader(runDirectory).close();
      return findRunFiles(runDirectory);
    } catch (error) {
      if (!(error instanceof OneclockError) || performance.now() > end) throw error;
    }
    await pause(STEP_MS);
  }
}

function sizesOf({ files }: RunFiles): string {
  return files.map(({ name, size }) => `${name} ${size}`).join('\n');
}
