// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeVtDevice } from '../../host/board/testing/fake-vt-device.js';
import type { BoardEvent } from '../../protocols/board/index.js';
import { PauseWatch } from './pause-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched() {
  const device = new FakeVtDevice();
  const told: string[] = [];
  const problems: unknown[] = [];
  const watch = new PauseWatch(
    device,
    2,
    (event: BoardEvent) => told.push('number' in event ? `${event.type} ${event.number}` : event.type),
    (error) => problems.push(error),
  );
  return { device, told, problems, watch };
}

test('what happened before is not told, the end of a pause that lasts is', () => {
  const { device, told, watch } = watched();
  device.edge(true);
  device.edge(false);
  device.edge(true);
  watch.start();
  expect(told).toEqual([]);
  device.edge(false);
  expect(told).toEqual(['resumed 2']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a pause and its end are told at once, without a timer', () => {
  const { device, told, watch } = watched();
  watch.start();
  device.edge(true);
  expect(told).toEqual(['paused 1']);
  expect(vi.getTimerCount()).toBe(0);
  device.edge(false);
  expect(told).toEqual(['paused 1', 'resumed 1']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a kernel that does not tell is looked at from time to time, which is told once', () => {
  const { device, told, problems, watch } = watched();
  device.failing.set('watch', 'ENOSYS');
  watch.start();
  expect(problems).toHaveLength(1);
  device.edge(true);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(told).toEqual(['paused 1']);
  device.edge(false);
  vi.advanceTimersByTime(2);
  expect(told).toEqual(['paused 1', 'resumed 1']);
  expect(problems).toHaveLength(1);
  watch.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('a second pause during a pause is none', () => {
  const { device, told, watch } = watched();
  watch.start();
  device.edge(true);
  device.edge(true);
  expect(told).toEqual(['paused 1']);
});

test('an end that is seen only during the next pause is left out, the numbers say so', () => {
  const { device, told, watch } = watched();
  watch.start();
  device.edge(true);
  device.quietly(() => {
    device.edge(false);
    device.edge(true);
  });
  device.edge(false);
  expect(told).toEqual(['paused 1', 'paused 2', 'resumed 2']);
});

test('after a failure it is looked at again, and nothing is lost', () => {
  const { device, told, problems, watch } = watched();
  watch.start();
  device.failing.set('lastPause', 'EIO');
  device.edge(true);
  expect(problems).toHaveLength(1);
  device.failing.clear();
  vi.advanceTimersByTime(1000);
  expect(told).toEqual(['paused 1']);
});

test('a module that is unloaded during a pause ends the watch, and one that is loaded begins it anew', () => {
  const { device, told, problems, watch } = watched();
  watch.start();
  device.edge(true);
  device.loaded = false;
  device.changed();
  watch.start();
  device.loaded = true;
  watch.start();
  device.edge(false);
  expect(told).toEqual(['paused 1', 'resumed 1']);
  expect(problems).toEqual([]);
});

test('nothing is told when it was stopped', () => {
  const { device, told, watch } = watched();
  watch.start();
  device.edge(true);
  watch.stop();
  device.edge(false);
  device.edge(true);
  vi.advanceTimersByTime(2000);
  expect(told).toEqual(['paused 1']);
});
