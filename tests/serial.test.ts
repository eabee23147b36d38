// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { CLOCK_STEP, SerialBench, type SerialRun, sendTimes } from './support/serial-bench.js';

const LINES = ['ttyS0', 'tty1', 'ttyS15', 'tty15'];

/** The guest's stamps are the times at which it was sent its bytes, and its answers were there at the same. */
function expectExact(run: SerialRun, node: string, times: readonly bigint[]): void {
  const bytes = times.map((_, place) => place & 0xff);
  expect(run.inputs(node)).toEqual(times.map((at, place) => ({ at, data: [bytes[place]] })));
  expect(run.outputs(node)).toEqual(
    times.map((at, place) => ({ at, data: [((bytes[place] as number) + 1) & 0xff] })),
  );
  // A guest's clock counts in steps, and to read it takes one of them.
  expect(run.stamps(node)).toEqual(
    times.map((at, place) => ({ byte: bytes[place], at: at - (at % CLOCK_STEP) + CLOCK_STEP })),
  );
}

describe('bytes on a serial line', () => {
  test.each([
    ['ttyS0', true],
    ['tty1', true],
    ['ttyS0', false],
    ['tty1', false],
  ])('%s are taken and answered at the instants at which they were sent; shared memory: %s', async (line, sharedMemory) => {
    const times = sendTimes(0);
    const run = await new SerialBench().run([{ name: 'a', line, times }], { sharedMemory });
    expect(run.result).toMatchObject({ status: 'ok' });
    expectExact(run, 'a', times);
  });

  test('are so in twenty guests at once, in the same way in every run, serial or parallel', async () => {
    const guests = Array.from({ length: 20 }, (_, index) => ({
      name: `n${index}`,
      line: LINES[index % LINES.length] as string,
      times: sendTimes(index),
    }));
    const bench = new SerialBench();
    const hashes = new Set<string>();
    for (const jobs of [1, 2, 2]) {
      const run = await bench.run(guests, { jobs });
      expect(run.result).toMatchObject({ status: 'ok' });
      for (const { name, times } of guests) expectExact(run, name, times);
      hashes.add(run.result.traceHash);
    }
    expect(hashes.size).toBe(1);
  });
});
