// SPDX-License-Identifier: MIT
import { describe, expect, test, vi } from 'vitest';
import { type Instant, instant, NEVER } from '../calendar/index.js';
import { readCost } from '../trace/cost-file.js';
import { temporaryFolder } from '../trace/testing/logs.js';
import { CostMeter } from './cost.js';

/** A meter on a clock that the test moves. */
function world() {
  const out = temporaryFolder();
  const state = { wallMs: 0, safe: instant(0n), ownCpuMs: 100 };
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => state.wallMs);
  const meter = new CostMeter(out, ['a', 'b'], {
    safe: () => state.safe,
    wallMs: () => state.wallMs,
    ownCpuMs: () => state.ownCpuMs,
  });
  const read = (end: Instant) => {
    meter.close(end);
    clock.mockRestore();
    return readCost(out).samples;
  };
  return { meter, state, read };
}

describe('what a run costs', () => {
  test('is the wall time from being let run to being quiet, also across samples', () => {
    const { meter, state, read } = world();
    meter.turn();
    meter.activated(1);
    state.wallMs = 10;
    meter.rested(1);
    meter.activated(0);
    state.wallMs = 60;
    state.safe = instant(5n);
    state.ownCpuMs = 107.5;
    meter.turn();
    state.wallMs = 90;
    meter.rested(0);
    meter.rested(0);
    state.wallMs = 120;
    meter.turn();
    state.wallMs = 130;
    expect(read(instant(9n))).toEqual([
      { virtualNs: 0n, wallUs: 0, ownCpuUs: 100_000, nodes: [] },
      {
        virtualNs: 5n,
        wallUs: 60_000,
        ownCpuUs: 107_500,
        nodes: [
          { node: 0, ranUs: 50_000, activations: 1 },
          { node: 1, ranUs: 10_000, activations: 1 },
        ],
      },
      {
        virtualNs: 5n,
        wallUs: 120_000,
        ownCpuUs: 107_500,
        nodes: [{ node: 0, ranUs: 30_000, activations: 0 }],
      },
      { virtualNs: 9n, wallUs: 130_000, ownCpuUs: 107_500, nodes: [] },
    ]);
  });

  test('has no more than 20 samples a second, and some ten thousand in an hour', () => {
    const { meter, state, read } = world();
    for (; state.wallMs < 3_600_000; state.wallMs += 5) meter.turn();
    const samples = read(instant(1n));
    expect(samples.filter(({ wallUs }) => wallUs < 60e6)).toHaveLength(1_200);
    expect(samples.length).toBeGreaterThan(5_000);
    expect(samples.length).toBeLessThan(12_000);
  });

  test('never goes back in virtual time, nor to the end of time', () => {
    const { meter, state, read } = world();
    state.safe = instant(7n);
    meter.turn();
    state.wallMs = 100;
    state.safe = NEVER;
    meter.turn();
    state.wallMs = 200;
    expect(read(instant(6n)).map(({ virtualNs }) => virtualNs)).toEqual([7n, 7n, 7n]);
  });
});
