// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { duration, instant } from '../../backend/calendar/time.js';
import { createPartitionMachine, type SlotSpec } from '../../backend/partitions/index.js';
import { type World, world } from '../../backend/partitions/testing/world.js';
import { whyNoKvm } from '../../host/kvm/index.js';
import { NativeHub } from '../../host/native/index.js';
import { buildProgram, programFolder } from './testing/build.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LIMIT_MS = 15_000;
const MEMORY = 1 << 20;
const LINE = 3;
const missing = whyNoKvm() ?? '';
const folder = programFolder();

const slot = (partition: string, at: number, length: number): SlotSpec => ({
  partition,
  at: duration(BigInt(at)),
  length: duration(BigInt(length)),
});

test('clock, timers and deadlines, on this machine', () => {
  const program = join(folder, 'pure');
  const sources = ['testing/pure.c', 'clock.c', 'queue.c'].map((name) => join(HERE, name));
  const checks = ['-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
  execFileSync('gcc', ['-std=gnu11', '-O1', '-g', ...checks, '-o', program, ...sources]);
  expect(execFileSync(program, { encoding: 'utf8' })).toBe('');
});

interface Options {
  readonly frame: number;
  readonly slots: readonly SlotSpec[];
  readonly linePeriod: number;
  readonly programs: Readonly<Record<string, string>>;
  readonly until?: number;
  /** Wall time without a sign of life. */
  readonly hangMs?: number;
}

/** Runs partitions on real processors, to the end of virtual time or until all have gone. */
function run({
  frame,
  slots,
  linePeriod,
  programs,
  until = 1_000_000_000,
  hangMs = LIMIT_MS,
}: Options): World {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  const made = world({
    frame: duration(BigInt(frame)),
    slots,
    lines: [{ number: LINE, period: duration(BigInt(linePeriod)) }],
    machines: new Map(
      Object.entries(programs).map(([name, program]) => [
        name,
        (handler) => createPartitionMachine({ name, program, memory: MEMORY, timeOfDay: 0n }, handler, hub),
      ]),
    ),
    until: instant(BigInt(until)),
  });
  onTestFinished(() => {
    for (const partition of made.partitions.values()) partition.close();
  });
  made.start();
  const limit = performance.now() + LIMIT_MS;
  while (!made.over()) {
    if (performance.now() > limit)
      throw new Error(`no end within ${LIMIT_MS} ms: ${made.log.slice(-5).join('; ')}`);
    hub.poll(100);
    for (const partition of made.partitions.values()) partition.checkHang(hangMs);
  }
  return made;
}

/** What `name` has said, by word. */
function counts({ log }: World, name: string): Record<string, number> {
  const said = log.map((line) => line.split(' ')).filter(([, who, what]) => who === name && what === 'says');
  const words = said
    .flatMap((line) => line.slice(3))
    .join(' ')
    .trim()
    .split(/\s+/);
  return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, Number(words[i + 1])]] : [])));
}

describe.skipIf(missing !== '')(`partitions on /dev/kvm${missing && ` (${missing})`}`, () => {
  // Periods that divide the slot and such that do not; work that does not fit into a slot; all with interrupts off.
  test.each([
    ['idle', { PERIOD: 1_000_000, WORK: 0, LOCKED: 0, HANDLING: 0 }],
    ['with a tick that fits no slot', { PERIOD: 777_777, WORK: 0, LOCKED: 0, HANDLING: 0 }],
    ['with a tick longer than its slot', { PERIOD: 7_300_001, WORK: 0, LOCKED: 0, HANDLING: 0 }],
    ['at work', { PERIOD: 500_000, WORK: 2_900_000, LOCKED: 0, HANDLING: 0 }],
    [
      'with interrupts off for longer than its slot',
      { PERIOD: 500_000, WORK: 9_700_000, LOCKED: 1, HANDLING: 0 },
    ],
    [
      'whose slot ends in the midst of a handler',
      { PERIOD: 1_000_000, WORK: 0, LOCKED: 0, HANDLING: 430_000 },
    ],
  ])('one %s counts every tick and every interrupt once', (_, defines) => {
    const LINE_PERIOD = 1_500_000;
    const program = buildProgram(folder, 'probe.c', { ...defines, LINE_PERIOD, WARPS: 20 });
    const options = {
      frame: 10_000_000,
      slots: [slot('a', 2_000_000, 4_000_000), slot('b', 6_000_000, 3_000_000)],
      linePeriod: LINE_PERIOD,
      programs: { a: program, b: program },
    };
    const made = run(options);
    for (const name of ['a', 'b']) {
      const { began, now, ticks, own, missed, line, kept, fired, late, errors } = counts(
        made,
        name,
      ) as Record<
        'began' | 'now' | 'ticks' | 'own' | 'missed' | 'line' | 'kept' | 'fired' | 'late' | 'errors',
        number
      >;
      expect(errors).toBe(0);
      expect(own + missed).toBe(ticks);
      expect(ticks).toBe(Math.floor((now - began) / defines.PERIOD));
      expect(missed).toBeGreaterThan(0);
      const heard = made.raised.filter((each) => each.name === name && each.at <= now).length;
      expect(line + kept).toBe(heard);
      expect(heard).toBe(Math.floor(now / LINE_PERIOD) - Math.floor(began / LINE_PERIOD));
      expect(fired).toBeGreaterThan(0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(made.log.filter((entry) => entry.includes(`${name} ended`))).toHaveLength(1);
    }
    expect(run(options).log).toEqual(made.log);
  });

  // The number of each is in faults.c.
  test.each<[string, number, RegExp]>([
    ['spins with interrupts off', 1, /^a failed and hung: it hangs: .*rip/],
    ['reads its clock for ever', 2, /^a failed and hung: it hangs: .*rip/],
    ['halts with interrupts off', 3, /^a failed: .*halt.*rip/],
    ['does what is no instruction', 4, /^a says exception 6 at \d+\n.*a failed: it stopped in a panic/s],
    ['rings what is no operation', 5, /^a failed: .*operation.*rip/],
    ['loses its stack', 6, /^a failed: .*(triple fault|internal error).*rip/],
  ])('one that %s ends, and the other does not', (_, fault, text) => {
    const other = { PERIOD: 1_000_000, WORK: 0, LOCKED: 0, HANDLING: 0, LINE_PERIOD: 1_500_000, WARPS: 8 };
    const made = run({
      frame: 10_000_000,
      slots: [slot('a', 2_000_000, 4_000_000), slot('b', 6_000_000, 3_000_000)],
      linePeriod: other.LINE_PERIOD,
      programs: {
        a: buildProgram(folder, 'faults.c', { FAULT: fault }),
        b: buildProgram(folder, 'probe.c', other),
      },
      hangMs: 2_000,
    });
    // Its sixth tick is at 8 ms, of which it is told at 12 ms.
    const last = made.log.filter((line) => /^12000000 a (says|failed)/.test(line));
    expect(last.map((line) => line.replace('12000000 ', '')).join('\n')).toMatch(text);
    expect(counts(made, 'b')).toMatchObject({ errors: 0, ticks: expect.any(Number) });
    expect(made.log.filter((line) => line.endsWith('b ended'))).toHaveLength(1);
    expect(made.partitions.get('a')?.alive).toBe(false);
  });

  test('one that only waits is there to the end', () => {
    const made = run({
      frame: 10_000_000,
      slots: [slot('a', 0, 4_000_000)],
      linePeriod: 1_500_000,
      programs: { a: buildProgram(folder, 'faults.c', { FAULT: 7 }) },
      until: 200_000_000,
    });
    expect(made.log).toHaveLength(20 + 19);
    expect(made.partitions.get('a')?.alive).toBe(true);
  });
});
