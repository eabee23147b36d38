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
])('an event of node %i in words', (node, event, text) => {
  expect(`${nodeName(HEADER, node)} ${describeEvent(HEADER, node, at(0), event)}`).toBe(text);
});
