// SPDX-License-Identifier: MIT
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSharedMemory, mapShared, trimShared } from './index.js';

const PAGE = 4096;

/** A file of pages that are filled with their number and one. */
function file(pages: number): { path: string; descriptor: number } {
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const path = join(folder, 'file');
  const content = new Uint8Array(pages * PAGE);
  for (let page = 0; page < pages; page++) content.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  writeFileSync(path, content);
  const descriptor = openSync(path, 'r+');
  onTestFinished(() => {
    closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  });
  return { path, descriptor };
}

describe('memory of our own', () => {
  test('is zero, and the same for everybody who maps it', () => {
    const memory = createSharedMemory(3 * PAGE + 5);
    expect(memory.bytes).toHaveLength(3 * PAGE + 5);
    expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
    const other = mapShared(memory.descriptor, 0, memory.bytes.length);
    memory.bytes[PAGE] = 7;
    other.bytes[PAGE + 1] = 8;
    expect([other.bytes[PAGE], memory.bytes[PAGE + 1]]).toEqual([7, 8]);
    other.close();
    memory.close();
  });

  test('cannot be cut short by those it is given to', () => {
    const memory = createSharedMemory(PAGE);
    expect(() => truncateSync(`/proc/self/fd/${memory.descriptor}`, 0)).toThrow('EPERM');
    expect(() => truncateSync(`/proc/self/fd/${memory.descriptor}`, 2 * PAGE)).toThrow('EPERM');
    expect(memory.intact()).toBe(true);
    memory.close();
  });

  test('is gone when it is closed, and only once', () => {
    const before = readdirSync('/proc/self/fd').length;
    const memory = createSharedMemory(PAGE);
    const view = new DataView(memory.bytes.buffer);
    memory.close();
    memory.close();
    expect(memory.bytes).toHaveLength(0);
    expect(() => view.getUint8(0)).toThrow(TypeError);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('pages that are given back', () => {
  test('do not count as ours, and are what they were', () => {
    const pages = 4096;
    const memory = createSharedMemory(pages * PAGE);
    const resident = () => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[2]);
    const before = resident();
    memory.bytes.fill(7);
    expect(resident() - before).toBeGreaterThan(pages * 0.9);
    trimShared();
    expect(resident() - before).toBeLessThan(pages * 0.1);
    expect(memory.bytes.every((byte) => byte === 7)).toBe(true);
    memory.close();
    trimShared();
  });
});

describe('memory of others', () => {
  test('may begin and end anywhere in a file', () => {
    const { descriptor } = file(3);
    for (const [offset, length] of [
      [0, 3 * PAGE],
      [PAGE, PAGE],
      [PAGE - 8, 16],
      [3 * PAGE - 1, 1],
    ] as const) {
      const memory = mapShared(descriptor, offset, length);
      expect(memory.bytes).toHaveLength(length);
      expect(memory.bytes[0]).toBe(Math.floor(offset / PAGE) + 1);
      expect(memory.bytes.at(-1)).toBe(Math.floor((offset + length - 1) / PAGE) + 1);
      memory.close();
    }
  });

  test('is refused where the file is shorter, or none', () => {
    const { descriptor } = file(1);
    for (const [offset, length] of [
      [0, PAGE + 1],
      [PAGE, 1],
      [1, PAGE],
      [0, 0],
      [Number.MAX_SAFE_INTEGER, 1],
      [1, Number.MAX_SAFE_INTEGER],
      [-1, 1],
      [0, -1],
    ] as const) {
      expect(() => mapShared(descriptor, offset, length)).toThrow('cannot map the memory it shares');
    }
    expect(() => mapShared(9999, 0, 1)).toThrow('Bad file descriptor');
    const folder = openSync('/', 'r');
    expect(() => mapShared(folder, 0, 1)).toThrow('cannot map the memory it shares');
    closeSync(folder);
  });

  test('reads as zero where the file has been cut short, and says so, and we live on', () => {
    const { path, descriptor } = file(4);
    const memory = mapShared(descriptor, 0, 4 * PAGE);
    truncateSync(path, 2 * PAGE);
    expect(memory.intact()).toBe(true);
    expect(memory.bytes[PAGE]).toBe(2);
    expect(memory.intact()).toBe(true);
    expect(memory.bytes[2 * PAGE]).toBe(0);
    expect(memory.intact()).toBe(false);
    expect(memory.bytes[3 * PAGE + 1]).toBe(0);
    // What is written there is for nobody.
    memory.bytes[3 * PAGE] = 5;
    memory.bytes.fill(9);
    expect(memory.bytes.every((byte) => byte === 9)).toBe(true);
    memory.close();
  });

  test('is no less another’s when one is cut short', () => {
    const cut = file(2);
    const whole = file(2);
    const lost = mapShared(cut.descriptor, 0, 2 * PAGE);
    const kept = mapShared(whole.descriptor, 0, 2 * PAGE);
    truncateSync(cut.path, 0);
    expect(lost.bytes[0]).toBe(0);
    expect([lost.intact(), kept.intact()]).toEqual([false, true]);
    expect(kept.bytes[PAGE]).toBe(2);
    lost.close();
    // A place in the table of mappings is used again, and begins anew.
    const next = mapShared(whole.descriptor, 0, PAGE);
    expect(next.intact()).toBe(true);
    next.close();
    kept.close();
  });
});
