// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFromBoard, MAX_BOARD_MESSAGE, MessageReader } from '../../protocols/board/index.js';
import { Outbox } from './outbox.js';

function sequences(outbox: Outbox): number[] {
  const found: number[] = [];
  const reader = new MessageReader('test', MAX_BOARD_MESSAGE, decodeFromBoard);
  for (const bytes of outbox.kept()) reader.push(bytes, ({ sequence }) => found.push(sequence));
  return found;
}

test('keeps what was not acknowledged, in its order, whatever is acknowledged in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('add' as const), fc.nat(30))), (actions) => {
      const outbox = new Outbox(1000);
      let last = 0;
      let acknowledged = 0;
      for (const action of actions) {
        if (action === 'add') {
          outbox.add(0, { type: 'done' });
          last += 1;
        } else if (action > last) {
          expect(() => outbox.acknowledge(action)).toThrowError(/at most/);
        } else {
          outbox.acknowledge(action);
          acknowledged = Math.max(acknowledged, action);
        }
        expect(sequences(outbox)).toEqual(
          Array.from({ length: last - acknowledged }, (_, index) => acknowledged + 1 + index),
        );
      }
    }),
  );
});

test('is full at its limit, has room again at half of it, and takes answers all the same', () => {
  const outbox = new Outbox(1000);
  const problem = { type: 'problem', errno: '', text: 'x'.repeat(95) } as const;
  let count = 0;
  for (; !outbox.full; count++) outbox.add(0, problem);
  expect(count).toBe(10);
  expect(outbox.roomy).toBe(false);
  outbox.add(1, { type: 'done' });
  outbox.acknowledge(3);
  expect(outbox.full).toBe(false);
  expect(outbox.roomy).toBe(false);
  outbox.acknowledge(7);
  expect(outbox.roomy).toBe(true);
  outbox.acknowledge(11);
  expect(outbox.kept()).toEqual([]);
});
