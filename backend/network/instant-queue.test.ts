// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Instant, instant } from '../calendar/time.js';
import { InstantQueue } from './instant-queue.js';

test('does what an array does', () => {
  const operation = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.constant('shift' as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400, size: 'max' }), (operations) => {
      const queue = new InstantQueue();
      const model: Instant[] = [];
      for (const value of operations) {
        if (value === 'shift') {
          queue.shift();
          model.shift();
        } else {
          queue.push(instant(value));
          model.push(instant(value));
        }
        expect(queue.size).toBe(model.length);
        expect(queue.peek()).toBe(model[0]);
      }
    }),
  );
});
