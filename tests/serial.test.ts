// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CLOCK_STEP, SerialBench, type SerialRun, sendTimes } from './support/serial-bench.js';

const MS = 1_000_000n;
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
  ])(
    '%s are taken and answered at the instants at which they were sent; shared memory: %s',
    async (line, sharedMemory) => {
      const times = sendTimes(0);
      const run = await new SerialBench().run([{ name: 'a', line, times }], { sharedMemory });
      expect(run.result).toMatchObject({ status: 'ok' });
      expectExact(run, 'a', times);
    },
  );

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

describe('a serial line', () => {
  /** Reads so many bytes of ttyS0 in raw mode, after a while. */
  const reading = (seconds: number, bytes: number) =>
    `exec 3<>/dev/ttyS0; stty raw -echo <&3; sleep ${seconds}; head -c ${bytes} <&3 | sha256sum`;

  test('keeps what nobody reads yet, and goes on when somebody does', async () => {
    const pieces = sendTimes(0)
      .slice(0, 30)
      .map((_, place) => Buffer.alloc(1000, 65 + place));
    const guest = { name: 'a', line: 'ttyS0', times: sendTimes(0).slice(0, 30) };
    const run = await new SerialBench().run([
      { ...guest, data: (place) => pieces[place] as Buffer, run: reading(5, 30_000) },
    ]);
    expect(run.result).toMatchObject({ status: 'ok' });
    const digest = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    expect(run.console('a')).toContain(`${digest}  -`);
    expect(run.lost('a')).toBe(0);
  });

  test('loses what comes before anybody has opened it, and what it has no room for', async () => {
    const times = [MS, ...sendTimes(0).slice(0, 5)];
    const run = await new SerialBench().run([
      {
        name: 'a',
        line: 'ttyS0',
        times,
        data: () => Buffer.alloc(60_000, 'a'),
        run: `sleep 1; ${reading(5, 100_000)}`,
      },
    ]);
    expect(run.result).toMatchObject({ status: 'ok' });
    // As much as a socket of this machine and the buffers of the guest's terminal hold.
    const taken = run.inputs('a').reduce((sum, { data }) => sum + data.length, 0);
    expect(taken).toBeGreaterThanOrEqual(100_000);
    expect(run.lost('a')).toBe(6 * 60_000 - taken);
    expect(run.lost('a')).toBeGreaterThanOrEqual(60_000);
  });

  test.each([true, false])(
    'brings output at the instants at which it was written; shared memory: %s',
    async (sharedMemory) => {
      const bench = new SerialBench();
      const guest = { name: 'a', line: 'ttyS0', times: [], run: `${bench.program} tell /dev/ttyS0 100` };
      const runs = [await bench.run([guest], { sharedMemory }), await bench.run([guest], { sharedMemory })];
      for (const run of runs) {
        expect(run.result).toMatchObject({ status: 'ok' });
        const told = run.outputs('a').map(({ data }) => BigInt(Buffer.from(data).toString()));
        expect(told).toHaveLength(100);
        expect(run.outputs('a').map(({ at }) => at - (at % CLOCK_STEP))).toEqual(told);
      }
      expect(new Set(runs.map(({ result }) => result.traceHash)).size).toBe(1);
    },
  );

  test('without acknowledgements brings input at no exact time, of which the guest warns', async () => {
    const guest = { name: 'a', line: 'ttyS0', times: [], run: 'exec 3<>/dev/ttyS0; dmesg | grep ssl:' };
    const bench = new SerialBench();
    const run = await bench.run([guest], { settings: '{ acknowledge: false }' });
    expect(run.result).toMatchObject({ status: 'ok' });
    const warning = 'ssl: input from fd:3 comes at no exact time, as no third channel acknowledges it';
    expect(run.console('a').join('\n')).toContain(warning);
    const other = await bench.run([guest]);
    expect(other.result.nodes.a).toMatchObject({ exit: 1 });
  });
});
