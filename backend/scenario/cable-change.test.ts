// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { readCable } from './cable-change.js';

describe('a change of a link', () => {
  test('is read as a topology would say it, and leaves the rest', () => {
    expect(readCable({ latency: '5ms', rate: '1.5mbit' })).toEqual({
      latency: 5_000_000n,
      rate: 1_500_000n,
      loss: undefined,
      jitter: undefined,
      queue: undefined,
    });
    expect(readCable({ latency: 7n, loss: '0.1%', jitter: '1us', queue: 0 })).toMatchObject({
      latency: 7n,
      loss: 1_000_000,
      jitter: 1_000n,
      queue: 0,
    });
  });

  test.each([
    [{ latency: '2h' }, 'latency: expected a duration of at most 1h; found 2h'],
    [{ latency: 'soon' }, 'expected a duration such as 10ms'],
    [{ rate: '0mbit' }, 'rate: expected a rate with a unit up to 1tbit'],
    [{ rate: '2tbit' }, 'rate: expected'],
    [{ loss: '101%' }, 'loss: expected a percentage from 0% to 100%'],
    [{ loss: '1' }, 'loss: expected a percentage'],
    [{ queue: 1.5 }, 'queue: expected a whole number from 0 to 1000000; found 1.5'],
    [{ lag: '1ms' }, 'lag: expected one of latency, rate, loss, jitter, queue'],
  ])('%j is refused', (change, message) => {
    expect(() => readCable(change as object)).toThrow(message);
  });
});
