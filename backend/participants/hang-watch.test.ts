// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HangWatch } from './hang-watch.js';

const LIMIT = 5_000;

describe('HangWatch', () => {
  let kicks: number;
  let pulse: bigint;
  let watch: HangWatch;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    kicks = 0;
    pulse = 0n;
    watch = new HangWatch({ pulse: () => pulse, kick: () => kicks++ });
    watch.sign();
  });
  afterEach(() => vi.useRealTimers());

  const checkAfter = (ms: number) => {
    vi.advanceTimersByTime(ms);
    return watch.check(LIMIT);
  };

  it('kicks a silent guest once, and gives it up where it does not stop', () => {
    expect([checkAfter(4_999), kicks, watch.stopping]).toEqual([false, 0, false]);
    expect([checkAfter(1), kicks, watch.stopping]).toEqual([false, 1, true]);
    expect(watch.reason).toBe('it hangs: nothing heard of it for 5 s of wall time');
    expect([checkAfter(999), kicks]).toEqual([false, 1]);
    expect([checkAfter(1), kicks]).toEqual([true, 1]);
  });

  it('lets a guest go on that stops by itself while it is being kicked', () => {
    checkAfter(LIMIT);
    watch.sign();
    expect(watch.stopping).toBe(false);
    expect([checkAfter(4_999), kicks]).toEqual([false, 1]);
    expect([checkAfter(1), kicks]).toEqual([false, 2]);
  });

  it('takes another pulse for a sign of life', () => {
    for (let i = 0; i < 10; i++) {
      pulse++;
      expect([checkAfter(4_000), kicks]).toEqual([false, 0]);
    }
    checkAfter(4_999);
    expect(kicks).toBe(0);
    checkAfter(1);
    expect(kicks).toBe(1);
  });
});
