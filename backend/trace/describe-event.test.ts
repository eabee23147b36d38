// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { TraceEvent } from '../../protocols/trace/index.js';
import { describeEvent, nodeName } from './describe-event.js';
import { at, HEADER } from './testing/logs.js';

const CHANGE = { kind: 'change', cable: 0, rate: 0n, loss: 0, jitter: 0n, queue: 0, lost: 0 } as const;

test.each<[number, TraceEvent, string]>([
  [0, { kind: 'drive', line: 1, drive: 'high' }, 'a drives led high'],
  [1, { kind: 'drive', line: 0, drive: 'low' }, 'b drives gpio0 low'],
  [0, { kind: 'drive', line: 0, drive: 'released' }, 'a lets go of gpio0'],
  [4, { kind: 'level', high: true }, 'ready is high'],
  [4, { kind: 'level', high: false }, 'ready is low'],
  [4, { ...CHANGE, down: true, latency: 1_000n }, 'ready is down, with latency 1us'],
  [5, { kind: 'level', high: false }, 'node 5 is low'],
  [0, { kind: 'variable-changed', shared: 0, value: 7n, ticks: 2n }, 'a changes jiffies to 7, by 2 ticks'],
  [0, { kind: 'variable-changed', shared: 2, value: 7n, ticks: 0n }, 'a changes variable 2 to 7'],
  [
    1,
    { kind: 'variable-stored', shared: 1, value: 7n, origin: 0, sequence: 3 },
    'b gets count 7, update 3 of a',
  ],
  [0, { kind: 'slot-entry', span: 5_000n, warp: undefined }, 'a enters for 5us'],
  [
    0,
    {
      kind: 'slot-entry',
      span: 5_000n,
      warp: { sequence: 2n, absent: 1_000_000n, ticks: 4n, pending: [{ line: 1, count: 3 }] },
    },
    'a enters for 5us, away for 1ms, warp 2: 4 ticks and interrupts: 3 of line 1',
  ],
  [0, { kind: 'line-raised', line: 3, kept: true }, 'a line 3 is raised, kept for the next warp'],
  [0, { kind: 'warp-applied', sequence: 2n }, 'a applies warp 2'],
  [0, { kind: 'deadline-missed', task: 9n, late: 1_500n }, 'a missed a deadline of task 9 by 1500ns'],
])('an event of node %i in words', (node, event, text) => {
  expect(`${nodeName(HEADER, node)} ${describeEvent(HEADER, node, at(0), event)}`).toBe(text);
});
