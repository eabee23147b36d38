// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, type Instant, instant, NEVER } from '../calendar/time.js';
import type { CableSpec } from '../topology/model.js';
import { Cable, type Passage } from './cable.js';
import { Random } from './random.js';

const PLAIN: CableSpec = {
  latency: duration(0n),
  rate: undefined,
  loss: 0,
  jitter: duration(0n),
  queue: 100,
};
const MS = 1_000_000n;

function cable(spec: Partial<CableSpec>, seed = 1n): Cable {
  return new Cable({ ...PLAIN, ...spec }, Random.for(seed, 'cable'));
}

function arrival(passage: Passage): Instant {
  if (passage.fate !== 'delivered') throw new Error(`expected a delivered frame, found ${passage.fate}`);
  return passage.arrives;
}

/** The cable once more, without thrift: every accepted frame for ever, every finish an exact fraction. */
class NaiveCable {
  /** Finish times as numerators over `denominator`; all rates of a run share one denominator. */
  private ends: bigint[] = [];
  /** Of the frames that were delivered. */
  private arrivals: { readonly at: bigint; readonly bytes: number }[] = [];
  private up = true;

  constructor(
    private spec: CableSpec,
    private readonly random: Random,
    private readonly denominator: bigint,
  ) {}

  change(spec: CableSpec): void {
    const last = this.ends.pop();
    if (last !== undefined) {
      this.ends.push(spec.rate === this.spec.rate ? last : this.roundUp(last) * this.denominator);
    }
    this.spec = spec;
  }

  /** @returns the frames that do not arrive */
  takeDown(at: bigint): readonly { readonly bytes: number }[] {
    const cut = this.arrivals.filter((arrival) => arrival.at >= at);
    this.arrivals = this.arrivals.filter((arrival) => arrival.at < at);
    this.ends = [];
    this.up = false;
    return cut;
  }

  bringUp(): void {
    this.up = true;
  }

  send(at: bigint, bytes: number): Passage {
    if (!this.up) return { fate: 'link-down' };
    const now = at * this.denominator;
    const present = this.ends.filter((end) => end > now).length;
    if (present > this.spec.queue) return { fate: 'queue-full' };
    const last = this.ends.at(-1) ?? 0n;
    const start = last > now ? last : now;
    const { rate } = this.spec;
    const end =
      rate === undefined ? start : start + (BigInt(bytes) * 8_000_000_000n * this.denominator) / rate;
    this.ends.push(end);
    const lost = this.random.belowNumber(1_000_000_000) < this.spec.loss;
    const jitter = this.random.below(this.spec.jitter + 1n);
    const starts = instant(this.roundUp(start));
    if (lost) return { fate: 'lost', starts };
    const earliest = this.roundUp(end) + this.spec.latency + jitter;
    const before = this.arrivals.at(-1)?.at ?? 0n;
    const arrives = earliest > before ? earliest : before;
    this.arrivals.push({ at: arrives, bytes });
    return { fate: 'delivered', starts, arrives: instant(arrives) };
  }

  private roundUp(value: bigint): bigint {
    return (value + this.denominator - 1n) / this.denominator;
  }
}

const RATES = [undefined, 1n, 7n, 300n, 9_600n, 10_000_000n, 30_000_001n, 10n ** 9n, 3n * 10n ** 9n + 7n];
const DENOMINATOR = RATES.reduce<bigint>((product, rate) => product * (rate ?? 1n), 1n);

const SPEC: fc.Arbitrary<CableSpec> = fc.record({
  latency: fc.bigInt({ min: 0n, max: 5_000n }).map(duration),
  rate: fc.constantFrom(...RATES),
  loss: fc.constantFrom(0, 1, 250_000_000, 1_000_000_000),
  jitter: fc.constantFrom(0n, 1n, 3_000n, 5_000_000_000n).map(duration),
  queue: fc.integer({ min: 0, max: 6 }),
});
const GAP = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 20_000n }),
  fc.bigInt({ min: 0n, max: 5_000_000_000n }),
);
const STEP = fc.record({
  gap: GAP,
  bytes: fc.integer({ min: 0, max: 1600 }),
  change: fc.option(SPEC, { freq: 8, nil: undefined }),
  state: fc.option(fc.constantFrom('up' as const, 'down' as const), { freq: 6, nil: undefined }),
});

describe('Cable against a naive model', () => {
  test('every frame meets the same fate at the same instant, and none goes missing', () => {
    fc.assert(
      fc.property(
        SPEC,
        fc.array(STEP, { maxLength: 60 }),
        fc.bigInt({ min: 0n, max: 99n }),
        (spec, steps, seed) => {
          const real = new Cable(spec, Random.for(seed));
          const naive = new NaiveCable(spec, Random.for(seed), DENOMINATOR);
          const seen = {
            delivered: 0,
            lost: 0,
            'queue-full': 0,
            'link-down': 0,
            bytes: 0,
            deliveredBytes: 0,
          };
          let at = 0n;
          let lastArrival = 0n;
          for (const step of steps) {
            at += step.gap;
            if (step.change) {
              real.change(instant(at), step.change);
              naive.change(step.change);
            }
            if (step.state === 'down') {
              const cut = naive.takeDown(at);
              const bytes = cut.reduce((sum, frame) => sum + frame.bytes, 0);
              real.takeDown(instant(at), cut.length, bytes);
              seen.delivered -= cut.length;
              seen['link-down'] += cut.length;
              seen.deliveredBytes -= bytes;
              lastArrival = 0n;
            } else if (step.state === 'up') {
              real.bringUp(instant(at));
              naive.bringUp();
            }
            const passage = real.send(instant(at), step.bytes);
            expect(passage).toEqual(naive.send(at, step.bytes));
            seen[passage.fate]++;
            seen.bytes += step.bytes;
            if ('starts' in passage) expect(passage.starts >= at).toBe(true);
            if (passage.fate === 'delivered') {
              seen.deliveredBytes += step.bytes;
              expect(passage.arrives >= lastArrival && passage.arrives >= passage.starts).toBe(true);
              lastArrival = passage.arrives;
            }
          }
          expect(real.statistics).toEqual({
            frames: steps.length,
            bytes: seen.bytes,
            delivered: seen.delivered,
            deliveredBytes: seen.deliveredBytes,
            dropped: { queueFull: seen['queue-full'], lost: seen.lost, linkDown: seen['link-down'] },
          });
          expect(seen.delivered + seen.lost + seen['queue-full'] + seen['link-down']).toBe(steps.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('Cable: rate', () => {
  test('without a rate only the latency counts', () => {
    const passage = cable({ latency: duration(MS) }).send(instant(5n), 1514);
    expect(passage).toEqual({ fate: 'delivered', starts: 5n, arrives: 5n + MS });
  });

  test('counts the bytes of the frame: 1250 bytes at 10 Mbit/s take 1 ms', () => {
    const tenMegabit = cable({ rate: 10_000_000n, latency: duration(MS) });
    expect(arrival(tenMegabit.send(instant(0n), 1250))).toBe(2n * MS);
    expect(tenMegabit.send(instant(0n), 1250)).toEqual({ fate: 'delivered', starts: MS, arrives: 3n * MS });
  });

  test('100 000 frames in a row at a rate that divides nothing end at the exact instant', () => {
    for (const rate of [7n, 9_999_991n, 10_000_000n, 1_000_000_007n]) {
      const busy = cable({ rate, queue: 100_000 });
      let last = instant(0n);
      for (let i = 0; i < 100_000; i++) last = arrival(busy.send(instant(0n), 1514));
      const exact = 100_000n * 1514n * 8_000_000_000n;
      expect(last).toBe((exact + rate - 1n) / rate);
    }
  });

  test('8 Mbit/s offered to 10 Mbit/s passes whole, 12 Mbit/s comes out at 10', () => {
    // A frame of 1000 bytes each millisecond is 8 Mbit/s; it takes 0.8 ms.
    const light = cable({ rate: 10_000_000n, queue: 0 });
    for (let i = 0n; i < 100_000n; i++) {
      expect(arrival(light.send(instant(i * MS), 1000))).toBe(i * MS + 800_000n);
    }
    const heavy = cable({ rate: 10_000_000n, queue: 10 });
    let delivered = 0n;
    for (let i = 0n; i < 100_000n; i++) {
      if (heavy.send(instant(i * MS), 1500).fate === 'delivered') delivered++;
    }
    // 100 s at 10 Mbit/s are 125 000 000 bytes; what is left in the queue at the end is on top of them.
    const whole = 125_000_000n / 1500n;
    expect(delivered - whole).toBeGreaterThanOrEqual(10n);
    expect(delivered - whole).toBeLessThanOrEqual(12n);
  });

  test('a frame that would finish after the end of time arrives never', () => {
    expect(arrival(cable({ rate: 1n }).send(instant(NEVER - 5n), 1514))).toBe(NEVER);
  });
});

describe('Cable: queue', () => {
  test('drops the frame that finds the queue full, and takes one again when a place is free', () => {
    const short = cable({ rate: 8_000n, queue: 2 });
    const fates = [0n, 0n, 0n, 0n, 999_999n, 1_000_000n, 1_000_000n].map(
      (at) => short.send(instant(at), 1).fate,
    );
    expect(fates).toEqual([
      'delivered',
      'delivered',
      'delivered',
      'queue-full',
      'queue-full',
      'delivered',
      'queue-full',
    ]);
    expect(short.statistics.dropped).toEqual({ queueFull: 3, lost: 0, linkDown: 0 });
  });

  test('a queue of nothing still serialises one frame', () => {
    const none = cable({ rate: 8_000n, queue: 0 });
    expect(none.send(instant(0n), 1).fate).toBe('delivered');
    expect(none.send(instant(0n), 1).fate).toBe('queue-full');
    expect(none.send(instant(MS), 1).fate).toBe('delivered');
  });
});

describe('Cable: chance', () => {
  const fates = (spec: Partial<CableSpec>, seed: bigint) => {
    const lossy = cable(spec, seed);
    return Array.from({ length: 2_000 }, (_, i) => lossy.send(instant(BigInt(i) * MS), 100));
  };

  test('the same seed gives the same run, another seed another', () => {
    const spec = { loss: 500_000_000, jitter: duration(1000n) };
    expect(fates(spec, 1n)).toEqual(fates(spec, 1n));
    expect(fates(spec, 1n)).not.toEqual(fates(spec, 2n));
  });

  test('which frames are lost does not depend on the jitter, nor the jitter on the loss', () => {
    const lost = (spec: Partial<CableSpec>) => fates(spec, 3n).map((passage) => passage.fate === 'lost');
    expect(lost({ loss: 200_000_000, jitter: duration(999n) })).toEqual(lost({ loss: 200_000_000 }));
    const calm = fates({ jitter: duration(999n) }, 3n);
    fates({ jitter: duration(999n), loss: 200_000_000 }, 3n).forEach((passage, index) => {
      if (passage.fate === 'delivered') expect(passage).toEqual(calm[index]);
    });
  });

  test('a higher loss loses the same frames and more', () => {
    const low = fates({ loss: 100_000_000 }, 4n);
    const high = fates({ loss: 300_000_000 }, 4n);
    low.forEach((passage, index) => {
      if (passage.fate === 'lost') expect(high[index]?.fate).toBe('lost');
    });
    const count = (passages: Passage[]) => passages.filter((passage) => passage.fate === 'lost').length;
    expect(Math.abs(count(low) - 200)).toBeLessThan(5 * 14);
    expect(Math.abs(count(high) - 600)).toBeLessThan(5 * 21);
  });

  test('a lost frame takes its time on the cable', () => {
    const hopeless = cable({ rate: 8_000n, loss: 1_000_000_000 });
    hopeless.send(instant(0n), 1);
    expect(hopeless.send(instant(0n), 1)).toEqual({ fate: 'lost', starts: MS });
  });

  test('jitter takes both its ends, and never reorders', () => {
    const nervous = cable({ jitter: duration(3n) });
    const delays = new Set<bigint>();
    for (let at = 0n; at < 4_000n; at += 10n) delays.add(arrival(nervous.send(instant(at), 1)) - at);
    expect([...delays].sort()).toEqual([0n, 1n, 2n, 3n]);
    const crowded = cable({ jitter: duration(1000n) });
    let last = 0n;
    for (let at = 0n; at < 1_000n; at++) {
      const arrives = arrival(crowded.send(instant(at), 1));
      expect(arrives).toBeGreaterThanOrEqual(last);
      last = arrives;
    }
  });
});

describe('Cable: change', () => {
  test('frames that were sent keep their times, and the next does not overtake them', () => {
    const changing = cable({ latency: duration(10n * MS), rate: 8_000n });
    expect(arrival(changing.send(instant(0n), 2))).toBe(12n * MS);
    changing.change(instant(MS), { ...PLAIN, latency: duration(0n), rate: 8_000_000n });
    expect(changing.send(instant(MS), 1)).toEqual({
      fate: 'delivered',
      starts: 2n * MS,
      arrives: 12n * MS,
    });
    expect(arrival(changing.send(instant(20n * MS), 1))).toBe(20n * MS + 1_000n);
    expect(changing.spec.rate).toBe(8_000_000n);
  });

  test('a shorter queue keeps the frames that are in it', () => {
    const shrinking = cable({ rate: 8_000n, queue: 3 });
    for (let i = 0; i < 4; i++) shrinking.send(instant(0n), 1);
    shrinking.change(instant(0n), { ...PLAIN, rate: 8_000n, queue: 1 });
    expect(shrinking.send(instant(2n * MS), 1).fate).toBe('queue-full');
    expect(shrinking.send(instant(3n * MS), 1)).toMatchObject({ fate: 'delivered', starts: 4n * MS });
  });
});

describe('Cable: down and up', () => {
  test('comes up idle, and owes nothing to the frames that were cut off', () => {
    const failing = cable({ latency: duration(10n * MS), rate: 8_000n });
    for (let i = 0; i < 3; i++) failing.send(instant(0n), 1);
    failing.takeDown(instant(MS), 3, 3);
    expect(failing.up).toBe(false);
    expect(failing.send(instant(MS), 1)).toEqual({ fate: 'link-down' });
    failing.change(instant(MS), { ...PLAIN, rate: 8_000n });
    failing.bringUp(instant(2n * MS));
    expect(failing.send(instant(2n * MS), 1)).toEqual({
      fate: 'delivered',
      starts: 2n * MS,
      arrives: 3n * MS,
    });
    expect(failing.statistics).toMatchObject({ frames: 5, delivered: 1, dropped: { linkDown: 4 } });
  });

  test('a frame that reaches nothing takes no luck from the others', () => {
    const fates = (down: boolean) => {
      const lossy = cable({ loss: 500_000_000, jitter: duration(5n) });
      if (down) {
        lossy.takeDown(instant(0n), 0, 0);
        for (let i = 0; i < 7; i++) lossy.send(instant(0n), 1);
        lossy.bringUp(instant(0n));
      }
      return Array.from({ length: 50 }, () => lossy.send(instant(0n), 1));
    };
    expect(fates(true)).toEqual(fates(false));
  });
});

describe('Cable: broken invariants', () => {
  test('T1: time runs backward', () => {
    const used = cable({});
    used.send(instant(10n), 1);
    expect(() => used.send(instant(9n), 1)).toThrow('a call at 9ns came after one at 10ns');
    expect(() => used.change(instant(9n), PLAIN)).toThrow('a call at 9ns came after one at 10ns');
  });

  test('impossible frames and cables', () => {
    for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => cable({}).send(instant(0n), bytes)).toThrow(`a frame of ${bytes} bytes`);
    }
    const impossible: Partial<CableSpec>[] = [
      { rate: 0n },
      { loss: 1_000_000_001 },
      { loss: 0.5 },
      { latency: duration(-1n) },
      { jitter: duration(-1n) },
      { queue: -1 },
    ];
    for (const spec of impossible) expect(() => cable(spec)).toThrow('an impossible cable');
  });
});
