// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { Lines } from './lines.js';

function processor() {
  const pending = new Set<number>();
  return {
    pending,
    interrupt: (vector: number) => void pending.add(vector),
    interruptPending: (vector: number) => pending.has(vector),
  };
}

test('what waits of a line goes with it to its new vector', () => {
  const cpu = processor();
  const lines = new Lines(cpu);
  lines.take(2, 64);
  lines.raise(2);
  lines.raise(2);
  expect(lines.offer()).toBe(true);
  expect(lines.offer()).toBe(false);
  lines.take(2, 65);
  expect(lines.offer()).toBe(true);
  expect([...cpu.pending]).toEqual([64, 65]);
});

test('what waits when the partition leaves is kept, once', () => {
  const cpu = processor();
  const lines = new Lines(cpu);
  const kept: [number, number][] = [];
  const leave = () => lines.leave((line, count) => kept.push([line, count]));
  lines.take(0, 64);
  lines.take(1, 65);
  for (const line of [0, 0, 0, 1, 7]) lines.raise(line);
  lines.offer();
  leave();
  leave();
  expect(kept).toEqual([[0, 2]]);
  expect([lines.has(1), lines.has(7)]).toEqual([true, false]);
});
