// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../calendar/time.js';
import { AGEING_TIME, LearningSwitch, TABLE_SIZE } from './switch.js';

const BROADCAST = [255, 255, 255, 255, 255, 255];
const MULTICAST = [1, 0, 0x5e, 0, 0, 1];

function station(number: number): number[] {
  return [2, 0, 0, (number >> 16) & 255, (number >> 8) & 255, number & 255];
}

function frame(to: number[], from: number[]): Uint8Array {
  return Uint8Array.from([...to, ...from, 8, 0, ...new Array<number>(46).fill(0)]);
}

/** Port numbers for frames given as [ingress, to, from], one a second. */
function play(lan: LearningSwitch, ...frames: [number, number[], number[]][]): (readonly number[])[] {
  return frames.map(([ingress, to, from], second) =>
    lan.forward(ingress, frame(to, from), instant(BigInt(second) * 10n ** 9n)),
  );
}

describe('LearningSwitch', () => {
  test('floods what it does not know, and learns from it', () => {
    const [a, b] = [station(1), station(2)];
    expect(play(new LearningSwitch(4), [1, b, a], [3, a, b], [1, b, a])).toEqual([[0, 2, 3], [1], [3]]);
  });

  test('floods group addresses, and does not learn them', () => {
    const lan = new LearningSwitch(3);
    const frames: [number, number[], number[]][] = [
      [0, BROADCAST, station(1)],
      [0, MULTICAST, station(1)],
      [1, station(9), MULTICAST],
      [0, MULTICAST, station(1)],
    ];
    expect(play(lan, ...frames)).toEqual([
      [1, 2],
      [1, 2],
      [0, 2],
      [1, 2],
    ]);
    expect(lan.tableLength).toBe(1);
  });

  test('a frame for the port that it came from goes nowhere', () => {
    const [a, b] = [station(1), station(2)];
    expect(play(new LearningSwitch(3), [1, b, a], [1, a, b], [1, a, a])).toEqual([[0, 2], [], []]);
  });

  test('follows a station that moves', () => {
    const [a, b] = [station(1), station(2)];
    expect(play(new LearningSwitch(3), [0, b, a], [1, a, b], [2, b, a], [1, a, b])).toEqual([
      [1, 2],
      [0],
      [1],
      [2],
    ]);
  });

  test('drops runts, and does not learn from them', () => {
    const lan = new LearningSwitch(2);
    for (let length = 0; length < 14; length++) {
      expect(lan.forward(0, frame(BROADCAST, station(1)).subarray(0, length), instant(0n))).toEqual([]);
    }
    expect(lan.tableLength).toBe(0);
    expect(lan.forward(0, frame(BROADCAST, station(1)).subarray(0, 14), instant(0n))).toEqual([1]);
  });

  test('forgets a station that was silent for the ageing time, to the nanosecond', () => {
    const [a, b] = [station(1), station(2)];
    for (const [silence, ports] of [
      [AGEING_TIME - 1n, [0]],
      [AGEING_TIME, [0, 2]],
    ] as const) {
      const lan = new LearningSwitch(3);
      lan.forward(0, frame(b, a), instant(5n));
      // Heard once more: its age begins anew.
      lan.forward(0, frame(b, a), instant(7n));
      expect(lan.forward(1, frame(a, b), instant(7n + silence))).toEqual(ports);
    }
  });

  test('remembers a bounded number of stations; the one heard longest ago gives way', () => {
    const lan = new LearningSwitch(3);
    for (let i = 0; i < TABLE_SIZE; i++) lan.forward(0, frame(BROADCAST, station(i)), instant(0n));
    // Station 0 speaks again, so station 1 is the oldest when one more comes.
    lan.forward(0, frame(BROADCAST, station(0)), instant(1n));
    expect(lan.tableLength).toBe(TABLE_SIZE);
    lan.forward(2, frame(BROADCAST, station(TABLE_SIZE)), instant(1n));
    expect(lan.tableLength).toBe(TABLE_SIZE);
    const seen = (number: number) => lan.forward(1, frame(station(number), station(TABLE_SIZE)), instant(1n));
    expect([seen(0), seen(1), seen(2)]).toEqual([[0], [0, 2], [0]]);
  });

  test('forgets the stations behind one port, and only those', () => {
    const [a, b, c] = [station(1), station(2), station(3)];
    const lan = new LearningSwitch(4);
    play(lan, [0, BROADCAST, a], [1, BROADCAST, b], [1, BROADCAST, c]);
    lan.forget(1);
    expect(lan.tableLength).toBe(1);
    const to = (address: number[]) => lan.forward(3, frame(address, station(9)), instant(10n ** 10n));
    expect([to(a), to(b), to(c)]).toEqual([[0], [0, 1, 2], [0, 1, 2]]);
    // The station that was heard last was behind the port.
    expect(lan.forward(1, frame(a, c), instant(10n ** 10n))).toEqual([0]);
    expect(to(c)).toEqual([1]);
  });

  test('a table of one', () => {
    const [a, b] = [station(1), station(2)];
    expect(play(new LearningSwitch(3, 1), [0, BROADCAST, a], [1, a, b], [0, b, a], [2, a, b])).toEqual([
      [1, 2],
      [0, 2],
      [1, 2],
      [0, 1],
    ]);
  });

  test('does what a plain list does, whatever comes', () => {
    const address = fc.oneof(
      fc.integer({ min: 0, max: 7 }).map(station),
      fc.constantFrom(BROADCAST, MULTICAST),
    );
    const gap = fc.constantFrom(0n, 1n, 10n ** 9n, AGEING_TIME / 2n, AGEING_TIME);
    const step = fc.record({ port: fc.integer({ min: 0, max: 3 }), to: address, from: address, gap });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const lan = new LearningSwitch(4, 3);
        let table: { key: string; port: number; heard: bigint }[] = [];
        let at = 0n;
        for (const { port, to, from, gap } of steps) {
          at += gap;
          const others = [0, 1, 2, 3].filter((other) => other !== port);
          if (((from[0] ?? 0) & 1) === 0) {
            const key = from.join();
            const rest = table.filter((entry) => entry.key !== key);
            if (rest.length === table.length && table.length === 3) rest.shift();
            table = [...rest, { key, port, heard: at }];
          }
          const key = to.join();
          const found = table.find((entry) => entry.key === key);
          const fresh = found !== undefined && at - found.heard < AGEING_TIME;
          if (found !== undefined && !fresh) table = table.filter((entry) => entry !== found);
          const ports = fresh ? (found.port === port ? [] : [found.port]) : others;
          expect(lan.forward(port, frame(to, from), instant(at))).toEqual(ports);
          expect(lan.tableLength).toBe(table.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('broken invariants: time runs backward, a port that does not exist', () => {
    const lan = new LearningSwitch(2);
    lan.forward(0, frame(BROADCAST, station(1)), instant(10n));
    expect(() => lan.forward(0, frame(BROADCAST, station(1)), instant(9n))).toThrow(
      '9ns came after one at 10ns',
    );
    expect(() => lan.forward(2, frame(BROADCAST, station(1)), instant(10n))).toThrow('port 2 of a switch');
    expect(() => new LearningSwitch(0)).toThrow('a switch needs ports; found 0');
  });
});
