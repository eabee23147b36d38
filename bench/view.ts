// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunFiles, ViewServer } from '../backend/view/index.js';
import { Browser, type Page } from '../tests/support/browser.js';
import { writeLargeRun } from '../tests/support/large-log.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

const NODES = 50;
const EVENTS = 1_000_000;
/** From the navigation to the first picture of the whole run. */
const OPEN_MS = 3000;
/** What drawing a frame may take, so that sixty of them are drawn in a second. */
const FRAME_MS = 16;
/** Frames of each motion. */
const FRAMES = 120;

/** What is done to the view before each frame, `turn` counting from 0; `span`: of which part of the run. */
const MOTIONS = [
  { name: 'zoom in and out', step: 'view.zoom(turn % 40 < 20 ? 0.85 : 1 / 0.85, 600)', span: 1 },
  { name: 'move, a tenth in sight', step: 'view.pan(turn % 80 < 40 ? 40 : -40)', span: 10 },
  { name: 'move, a hundredth in sight', step: 'view.pan(turn % 80 < 40 ? 40 : -40)', span: 100 },
  { name: 'move, a thousandth in sight', step: 'view.pan(turn % 80 < 40 ? 40 : -40)', span: 1000 },
  {
    name: 'scroll rows',
    step: 'document.getElementById("scroller").scrollTop = (turn * 12) % 1200',
    span: 10,
  },
] as const;

interface Motion {
  readonly name: string;
  /** Milliseconds of our own work for a frame, without what the browser does to show it. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Milliseconds between two frames that the browser showed, on average. */
  readonly intervalMs: number;
  readonly smooth: boolean;
}

export interface ViewResult {
  readonly events: number;
  /** Milliseconds from the navigation to the first picture. */
  readonly openMs: Spread;
  readonly opensInTime: boolean;
  readonly motions: readonly Motion[];
}

/** Opens the page in a browser without a screen, and moves about in it. */
export async function measureView(
  repetitions: number,
  progress: (text: string) => void,
): Promise<ViewResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-view-'));
  const browser = new Browser();
  try {
    progress('view: writing the run');
    writeLargeRun(folder, { nodes: NODES, events: EVENTS });
    const opens: number[] = [];
    let motions: readonly Motion[] = [];
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      progress(`view, repetition ${repetition} of ${repetitions}`);
      const server = await ViewServer.open([findRunFiles(folder)]);
      try {
        const page = await browser.open(server.url);
        await page.until("document.documentElement.dataset.complete === 'true'");
        opens.push(await page.evaluate("performance.getEntriesByName('drawn')[0].startTime"));
        if (repetition === repetitions) motions = await measureMotions(page);
        await page.close();
      } finally {
        server.close();
      }
    }
    const openMs = spread(opens);
    return { events: EVENTS, openMs, opensInTime: openMs.median <= OPEN_MS, motions };
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

async function measureMotions(page: Page): Promise<Motion[]> {
  const results: Motion[] = [];
  for (const { name, step, span } of MOTIONS) {
    const { own, shown } = await page.evaluate<{ own: number[]; shown: number[] }>(`(async () => {
      const { state, drawn } = oneclockView;
      const { view } = state;
      view.showAll();
      view.zoom(1 / ${span}, view.width / 2);
      const own = [];
      const shown = [];
      let last = await new Promise(requestAnimationFrame);
      for (let turn = 0; turn < ${FRAMES}; turn++) {
        ${step};
        oneclockView.invalidate();
        const now = await new Promise(requestAnimationFrame);
        own.push(drawn.ms);
        shown.push(now - last);
        last = now;
      }
      return { own, shown };
    })()`);
    const sorted = [...own].sort((a, b) => a - b);
    const p99Ms = sorted[Math.floor(0.99 * sorted.length)] as number;
    results.push({
      name,
      medianMs: sorted[sorted.length >> 1] as number,
      p99Ms,
      intervalMs: shown.reduce((sum, each) => sum + each, 0) / shown.length,
      smooth: p99Ms <= FRAME_MS,
    });
  }
  return results;
}

export function formatView(result: ViewResult, table: TableFormat): string {
  const verdict = (reached: boolean) => (reached ? 'reached' : 'NOT REACHED');
  const rows = result.motions.map(({ name, medianMs, p99Ms, intervalMs, smooth }) => [
    name,
    medianMs.toFixed(1),
    p99Ms.toFixed(1),
    intervalMs.toFixed(1),
    verdict(smooth),
  ]);
  return [
    table([
      ['', 'ms', `target: ${OPEN_MS}`],
      ['opens', formatSpread(result.openMs, 0), verdict(result.opensInTime)],
    ]),
    '\n',
    table([['ms for a frame', 'median', '99 %', 'between frames', `target: ${FRAME_MS}`], ...rows]),
  ].join('');
}
