// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockEstimate } from './board-link-clock.js';

const span = fc.bigInt({ min: 0n, max: 50_000_000n });

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

test('the true offset is never further away than the uncertainty, however unequal the two ways are', () => {
  const exchange = fc.record({ pause: span, there: span, work: span, back: span });
  const offset = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
  fc.assert(
    fc.property(offset, fc.array(exchange, { minLength: 1 }), (trueOffset, exchanges) => {
      const estimate = new ClockEstimate();
      let now = 10n ** 16n;
      for (const { pause, there, work, back } of exchanges) {
        now += pause;
        const receivedNs = now + there + trueOffset;
        const answeredNs = now + there + work + back;
        estimate.add({ askedNs: now, receivedNs, sentNs: receivedNs + work, answeredNs });
        now = answeredNs;
        const known = estimate.at(now);
        if (known === undefined) throw new Error('no offset');
        expect(distance(known.offsetNs, trueOffset)).toBeLessThanOrEqual(known.uncertaintyNs);
      }
    }),
  );
});

test('clocks that drift as crystals may are within the uncertainty as well', () => {
  const estimate = new ClockEstimate();
  // 90 parts in a million faster than this machine's.
  const board = (ns: bigint) => ns + (ns * 90n) / 1_000_000n;
  for (let now = 0n; now < 10n ** 11n; now += 10n ** 9n) {
    const way = 1_000n + ((now / 10n ** 9n) % 7n) * 100_000n;
    const at = now + way;
    estimate.add({ askedNs: now, receivedNs: board(at), sentNs: board(at), answeredNs: at + way });
    const known = estimate.at(now + 10n ** 9n);
    if (known === undefined) throw new Error('no offset');
    const truth = board(now + 10n ** 9n) - (now + 10n ** 9n);
    expect(distance(known.offsetNs, truth)).toBeLessThanOrEqual(known.uncertaintyNs);
  }
});

test('a quick exchange stands until its age makes it worse than a slow one', () => {
  const estimate = new ClockEstimate();
  const add = (askedNs: bigint, way: bigint, offset: bigint) =>
    estimate.add({
      askedNs,
      receivedNs: askedNs + way + offset,
      sentNs: askedNs + way + offset,
      answeredNs: askedNs + 2n * way,
    });
  expect(estimate.at(0n)).toBeUndefined();
  add(0n, 100n, 5n);
  expect(estimate.at(200n)).toEqual({ offsetNs: 5n, uncertaintyNs: 101n });
  add(1_000n, 50_000n, 6n);
  expect(estimate.at(200_000n)?.offsetNs).toBe(5n);
  add(1_000_000_000n, 50_000n, 7n);
  expect(estimate.at(1_000_100_000n)).toEqual({ offsetNs: 7n, uncertaintyNs: 50_001n });
});

test.each([
  ['an answer from before its request', { askedNs: 100n, receivedNs: 0n, sentNs: 0n, answeredNs: 50n }],
  ['a board whose clock goes backward', { askedNs: 0n, receivedNs: 10n, sentNs: 5n, answeredNs: 50n }],
  ['more time at the board than there was', { askedNs: 0n, receivedNs: 0n, sentNs: 100n, answeredNs: 50n }],
])('%s is of no use', (_, exchange) => {
  const estimate = new ClockEstimate();
  estimate.add(exchange);
  expect(estimate.at(1000n)).toBeUndefined();
});
