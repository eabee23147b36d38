// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LINES, Op } from '../../protocols/hypercall/index.js';
import { type Duration, duration, instant } from '../calendar/time.js';
import { Schedule, type SlotSpec } from './schedule.js';
import type { Code, FakeMachine, FakeProgram } from './testing/fake-machine.js';
import { type FakeWorld, fakeWorld } from './testing/fake-world.js';
import { type Action, LINE_VECTOR, Program, WARP_VECTOR } from './testing/program.js';
import { NAMES, schedules } from './testing/schedules.js';

const slot = (partition: string, at: bigint, length: bigint): SlotSpec => ({
  partition,
  at: duration(at),
  length: duration(length),
});
const waits: readonly Action[] = [{ do: 'wait' }];

/** A program that does as it is told, and nothing at interrupts. */
function script(main: (machine: FakeMachine) => Code): FakeProgram {
  return { main, handler: function* () {} };
}

const partition = (period = 10n): { do: 'ring'; op: number; args: bigint[] } => ({
  do: 'ring',
  op: Op.PARTITION,
  args: [BigInt(WARP_VECTOR), period],
});

/** One partition `a`, from 20 to 50 of every 100. */
function alone(
  program: FakeProgram,
  until = 1000n,
  lines: { number: number; period: Duration }[] = [],
): FakeWorld {
  const made = fakeWorld({
    frame: duration(100n),
    slots: [slot('a', 20n, 30n)],
    lines,
    programs: new Map([['a', program]]),
    until: instant(until),
  });
  made.run();
  return made;
}

describe('a partition', () => {
  test('runs in its slots only, and is told at each entry what it has missed', () => {
    const program = new Program({ period: 10n, lines: [], actions: waits, handling: 0n, acknowledges: true });
    const { log, warps } = alone(program, 340n);
    expect(log).toEqual([
      '20 a enters to 50, ticks undefined',
      '120 a enters to 150, ticks 8',
      '120 a warped 1',
      '220 a enters to 250, ticks 8',
      '220 a warped 2',
      '320 a enters to 350, ticks 8',
      '320 a warped 3',
    ]);
    expect(warps.get('a')?.[1]).toEqual({
      sequence: 2n,
      left: 150n,
      entered: 220n,
      slotEnd: 250n,
      ticks: 8n,
      pending: new Array(LINES).fill(0),
    });
    // At 30 and 40, 130 and 140, 230 and 240, and 330.
    expect([program.own, program.missed]).toEqual([7n, 24n]);
  });

  test('knows the end of its first slot', () => {
    const ends: bigint[] = [];
    alone(
      script(function* (machine) {
        yield partition();
        ends.push(new DataView(machine.memory.bytes.buffer).getBigUint64(4096 + 128 + 24, true));
        yield { do: 'interrupts', on: true };
      }),
    );
    expect(ends).toEqual([50n]);
  });

  test('that does not take warps enters all the same, and gets what its timer owes it', () => {
    const at: bigint[] = [];
    const program = script(function* (machine) {
      yield { do: 'interrupts', on: true };
      for (const due of [25n, 60n, 119n, 130n]) {
        machine.requested = due;
        yield { do: 'halt' };
        at.push(machine.now);
      }
    });
    alone(program);
    expect(at).toEqual([25n, 120n, 120n, 130n]);
  });

  test('that does not acknowledge gets it all in the next warp', () => {
    const program = new Program({
      period: 10n,
      lines: [3],
      actions: waits,
      handling: 0n,
      acknowledges: false,
    });
    const { warps } = alone(program, 340n, [{ number: 3, period: duration(50n) }]);
    const told = warps
      .get('a')
      ?.map(({ left, entered, ticks, pending }) => [left, entered, ticks, pending[3]]);
    // The line is kept at 50 and 100, 150 and 200, and so on.
    expect(told).toEqual([
      [50n, 120n, 8n, 2],
      [50n, 220n, 16n, 4],
      [50n, 320n, 24n, 6],
    ]);
  });

  test('that waits for nothing gets the interrupt of its warp at the entry', () => {
    const taken: string[] = [];
    const program: FakeProgram = {
      *main() {
        yield partition();
        yield { do: 'interrupts', on: true };
        for (;;) yield { do: 'halt' };
      },
      *handler(machine, vector) {
        taken.push(`${machine.now} ${vector}`);
        yield { do: 'interrupts', on: false };
      },
    };
    alone(program, 300n);
    expect(taken).toEqual([`120 ${WARP_VECTOR}`, `220 ${WARP_VECTOR}`]);
  });

  test('that acknowledges a warp of before has acknowledged nothing', () => {
    const { warps } = alone(
      script(function* () {
        yield partition();
        yield { do: 'advance', to: 130n };
        yield { do: 'advance', to: 230n };
        yield { do: 'ring', op: Op.WARPED, args: [1n] };
        yield { do: 'advance', to: 330n };
        yield { do: 'ring', op: Op.WARPED, args: [3n] };
        yield { do: 'advance', to: 430n };
        yield { do: 'end', how: 'off' };
      }),
    );
    expect(warps.get('a')?.map(({ left, ticks }) => [left, ticks])).toEqual([
      [50n, 8n],
      [50n, 16n],
      [50n, 24n],
      [350n, 8n],
    ]);
  });

  test('that comes with a warp of before gets the present one, which has it too', () => {
    const results: bigint[] = [];
    alone(
      script(function* (machine) {
        yield partition();
        // Until the slot after the next one, with interrupts off.
        yield { do: 'advance', to: 130n };
        yield { do: 'advance', to: 230n };
        for (const sequence of [1n, 2n]) {
          yield { do: 'ring', op: Op.WARPED, args: [sequence] };
          results.push(yield { do: 'ring', op: Op.WARPED, args: [sequence] });
        }
        yield { do: 'interrupts', on: true };
        machine.requested = 10_000n;
      }),
    );
    expect(results).toEqual([2n, 2n]);
  });

  test('with interrupts off when its line is raised twice gets both when it can', () => {
    const at: bigint[] = [];
    class Watching extends Program {
      override *handler(machine: FakeMachine, vector: number): Code {
        if (vector === LINE_VECTOR) at.push(machine.now);
        yield* super.handler(machine, vector);
      }
    }
    const work: Action = { do: 'work', ns: 25n, interrupts: false };
    const program = new Watching({
      period: 1000n,
      lines: [0],
      actions: [work, ...waits, ...waits, ...waits],
      handling: 0n,
      acknowledges: true,
    });
    // At 30 and at 40.
    alone(program, 100n, [{ number: 0, period: duration(10n) }]);
    expect(at).toEqual([45n, 45n]);
  });

  test('whose slot ends while a line waits is told of it by warp', () => {
    const program = new Program({
      period: 1000n,
      lines: [0],
      actions: [{ do: 'work', ns: 35n, interrupts: false }, { do: 'wait' }],
      handling: 0n,
      acknowledges: true,
    });
    const { warps } = alone(program, 130n, [{ number: 0, period: duration(10n) }]);
    // At 30 and 40 in the slot, one of them with the processor; from 50 to 120 away.
    expect(warps.get('a')?.map(({ pending }) => pending[0])).toEqual([1 + 8]);
    expect(program.told[0]).toBe(9);
    expect(program.taken[0]).toBe(1);
  });

  test('with two slots next to each other is away for no time', () => {
    const program = new Program({
      period: 10n,
      lines: [0],
      actions: waits,
      handling: 0n,
      acknowledges: true,
    });
    const made = fakeWorld({
      frame: duration(100n),
      slots: [slot('a', 0n, 50n), slot('a', 50n, 50n)],
      lines: [{ number: 0, period: duration(50n) }],
      programs: new Map([['a', program]]),
      until: instant(501n),
    });
    made.run();
    // Ticks and lines at 50, 100 … are in warps, and nowhere else.
    expect([program.own, program.missed]).toEqual([40n, 10n]);
    expect([program.taken[0], program.told[0]]).toEqual([0, 10]);
  });

  test('says what deadlines it has missed', () => {
    const { log } = alone(
      script(function* () {
        yield partition();
        yield { do: 'advance', to: 30n };
        yield { do: 'ring', op: Op.MISSED, args: [7n, 29n] };
        yield { do: 'end', how: 'off' };
      }),
    );
    expect(log.slice(1)).toEqual(['30 a missed 7 at 29', '30 a ended']);
  });
});

describe('a partition that', () => {
  const warped = (sequence: bigint) => ({ do: 'ring' as const, op: Op.WARPED, args: [sequence] });
  test.each<[string, (machine: FakeMachine) => Code, string]>([
    [
      'is one twice',
      function* () {
        yield partition();
        yield partition();
      },
      'expected PARTITION once',
    ],
    [
      'has no period',
      function* () {
        yield partition(0n);
      },
      'expected a period from 1',
    ],
    [
      'takes a line before all else',
      function* () {
        yield { do: 'ring', op: Op.LINE, args: [0n, 64n] };
      },
      'expected PARTITION before',
    ],
    [
      'takes a line that is none',
      function* () {
        yield partition();
        yield { do: 'ring', op: Op.LINE, args: [32n, 64n] };
      },
      'expected a line from 0 to 31, found 32',
    ],
    [
      'has applied a warp that was none',
      function* () {
        yield partition();
        yield warped(1n);
      },
      'expected the sequence of a warp, 1 to 0, found 1',
    ],
    [
      'has applied warp 0',
      function* () {
        yield partition();
        yield warped(0n);
      },
      'found 0',
    ],
    [
      'misses a deadline to come',
      function* () {
        yield partition();
        yield { do: 'ring', op: Op.MISSED, args: [1n, 21n] };
      },
      'expected a deadline from 0 to 20, found 21',
    ],
    [
      'rings wild values',
      function* () {
        yield { do: 'ring', op: 0xffff_ffff, args: [] };
      },
      'expected an operation',
    ],
    [
      'halts for ever',
      function* () {
        yield { do: 'halt' };
      },
      'halt with interrupts off',
    ],
    [
      'panics',
      function* () {
        yield { do: 'end', how: 'panic' };
      },
      'it stopped in a panic',
    ],
    [
      'reboots',
      function* () {
        yield { do: 'end', how: 'reboot' };
      },
      'it rebooted',
    ],
  ])('%s ends, and the other does not', (_, main, text) => {
    const other = new Program({ period: 10n, lines: [], actions: waits, handling: 0n, acknowledges: true });
    const made = fakeWorld({
      frame: duration(100n),
      slots: [slot('a', 20n, 30n), slot('b', 50n, 50n)],
      lines: [],
      programs: new Map<string, FakeProgram>([
        ['a', script(main)],
        ['b', other],
      ]),
      until: instant(1000n),
    });
    made.run();
    const failures = made.log.filter((line) => line.includes('failed'));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/^20 a failed: /);
    expect(failures[0]).toContain(text);
    expect(other.own + other.missed).toBe((999n - other.since) / 10n);
    expect(made.partitions.get('a')?.alive).toBe(false);
  });

  test('asks for what it has not gets an error', () => {
    const results: bigint[] = [];
    alone(
      script(function* () {
        for (const op of [Op.GET, Op.REGISTER]) {
          results.push(yield { do: 'ring', op, args: [8n, 1n, 1n] });
        }
        results.push(yield { do: 'ring', op: Op.UPDATE, args: [] });
        yield { do: 'interrupts', on: true };
      }),
    );
    expect(results).toEqual([-65n, -65n, 0n]);
  });

  test('hangs is kicked, and ends with its name for it', () => {
    const made = fakeWorld({
      frame: duration(100n),
      slots: [slot('a', 20n, 30n)],
      lines: [],
      programs: new Map([['a', script(function* () {})]]),
      until: instant(1000n),
    });
    const machine = made.machines.get('a') as FakeMachine;
    machine.hangs = true;
    expect(() => made.run()).toThrow('has not come to its end');
    const guest = made.partitions.get('a');
    guest?.checkHang(60_000);
    expect(machine.kicks).toBe(0);
    guest?.checkHang(0);
    expect(machine.kicks).toBe(1);
    expect(made.log.at(-1)).toBe('20 a failed and hung: it hangs: nothing heard of it for 0 s of wall time');
    guest?.checkHang(0);
    expect(machine.kicks).toBe(1);
  });
});

const actions: fc.Arbitrary<readonly Action[]> = fc
  .array(
    fc.oneof(
      fc.constant<Action>({ do: 'wait' }),
      fc.record({ do: fc.constant('work' as const), ns: fc.bigInt(1n, 40n), interrupts: fc.boolean() }),
    ),
    { maxLength: 4 },
  )
  .map((some) => [...some, { do: 'wait' }]);

const options = fc.record({
  period: fc.bigInt(1n, 60n),
  lines: fc.subarray([0, 1, 31]),
  actions,
  handling: fc.bigInt(0n, 3n),
  acknowledges: fc.constant(true),
});

describe('whatever the schedule, the ticks and the lines are', () => {
  const cases = fc.record({
    schedule: schedules,
    programs: fc.array(options, { minLength: NAMES.length, maxLength: NAMES.length }),
    periods: fc.array(fc.bigInt(1n, 80n), { minLength: 3, maxLength: 3 }),
  });
  const LINES_UNTIL = 900n;

  function build({ schedule, programs, periods }: typeof cases extends fc.Arbitrary<infer T> ? T : never) {
    const names = [...new Set(schedule.slots.map(({ partition: name }) => name))];
    const made = new Map(
      names.map((name, place) => {
        const program = programs[place] as (typeof programs)[0];
        // One that has more to handle than time never comes to an end of it.
        const tight = schedule.slots.some((each) => each.partition === name && each.length < 15n);
        return [
          name,
          new Program({ ...program, handling: tight || program.period < 15n ? 0n : program.handling }),
        ];
      }),
    );
    return {
      made,
      world: fakeWorld({
        ...schedule,
        lines: [0, 1, 31].map((number, place) => ({ number, period: duration(periods[place] as bigint) })),
        programs: made,
        until: instant(LINES_UNTIL + schedule.frame * 100n),
        linesUntil: instant(LINES_UNTIL),
      }),
    };
  }

  test('each tick is seen once, own or missed, and each interrupt of a line is taken or told once', () => {
    let [ticks, kept, taken, told] = [0n, 0, 0, 0];
    fc.assert(
      fc.property(cases, (it) => {
        const { made, world: run } = build(it);
        run.run();
        expect(run.log.filter((line) => line.includes('failed'))).toEqual([]);
        const schedule = new Schedule(it.schedule.frame, it.schedule.slots);
        let place = 0;
        for (const [name, program] of made) {
          const { period, lines } = it.programs[place++] as (typeof it.programs)[0];
          const last = program.warps.at(-1);
          if (!last) throw new Error(`${name} has never come back`);
          // Ticks, one by one, up to the last warp that was applied.
          let missed = 0n;
          for (let at = program.since + period; at <= last.entered; at += period) {
            const present = schedule.slotAt(name, instant(at));
            if (present === undefined || present.start === at) missed++;
          }
          expect(program.missed).toBe(missed);
          ticks += missed;
          // Interrupts: `linesUntil` comes before them.
          for (const [number, every] of [0, 1, 31].map((n, i) => [n, it.periods[i] as bigint] as const)) {
            const raised = lines.includes(number) ? (LINES_UNTIL - 1n) / every - program.since / every : 0n;
            const heard = (program.taken[number] as number) + (program.told[number] as number);
            expect(BigInt(heard)).toBe(raised);
            taken += program.taken[number] as number;
            told += program.told[number] as number;
          }
        }
        kept += run.raised.filter((each) => each.kept).length;
      }),
      { numRuns: 60 },
    );
    // It was about something.
    expect([ticks > 2_000n, kept > 500, taken > 500, told > 500]).toEqual([true, true, true, true]);
  });

  test('the same twice gives the same', () => {
    fc.assert(
      fc.property(cases, (it) => {
        const logs = [build(it), build(it)].map(({ world: run }) => {
          run.run();
          return run.log;
        });
        expect(logs[0]).toEqual(logs[1]);
      }),
      { numRuns: 30 },
    );
  });

  test('a present partition with interrupts on has its lines at once', () => {
    fc.assert(
      fc.property(schedules, fc.bigInt(1n, 80n), fc.bigInt(1n, 60n), (schedule, every, period) => {
        const taken: string[] = [];
        class Watching extends Program {
          override *handler(machine: FakeMachine, vector: number): Code {
            if (vector === LINE_VECTOR) taken.push(`${machine.now} ${this.name}`);
            yield* super.handler(machine, vector);
          }
          constructor(readonly name: string) {
            super({ period, lines: [0], actions: waits, handling: 0n, acknowledges: true });
          }
        }
        const names = [...new Set(schedule.slots.map(({ partition: name }) => name))];
        const run = fakeWorld({
          ...schedule,
          lines: [{ number: 0, period: duration(every) }],
          programs: new Map(names.map((name) => [name, new Watching(name)])),
          until: instant(1500n),
        });
        run.run();
        const present = run.raised.filter(({ kept }) => !kept).map(({ at, name }) => `${at} ${name}`);
        expect(taken).toEqual(present);
      }),
      { numRuns: 60 },
    );
  });
});
