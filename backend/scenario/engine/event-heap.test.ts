// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventHeap, Pending } from './event-heap.js';

class Item extends Pending {
  constructor(
    readonly key: number,
    sequence: number,
  ) {
    super();
    this.sequence = sequence;
  }

  fire(): boolean {
    return false;
  }
}

const byPlace = (a: Item, b: Item) => a.key - b.key || a.sequence - b.sequence;

it('pops what is least by key and sequence, whatever is pushed, popped, dropped and swept between', () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(12) }),
    fc.constant('pop' as const),
    fc.record({ drop: fc.nat(1000) }),
    fc.constant('sweep' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new EventHeap();
      let model: Item[] = [];
      let sequence = 0;
      for (const step of steps) {
        if (step === 'pop') {
          expect(heap.size).toBe(model.length);
          if (model.length === 0) continue;
          model.sort(byPlace);
          expect(heap.key).toBe(model[0]?.key);
          expect(heap.top).toBe(model[0]);
          expect(heap.pop()).toBe(model.shift());
        } else if (step === 'sweep') {
          heap.sweep();
          model = model.filter(({ dropped }) => !dropped);
        } else if ('push' in step) {
          const item = new Item(step.push, sequence++);
          heap.push(item, item.key);
          model.push(item);
        } else if (model.length > 0) {
          (model[step.drop % model.length] as Item).dropped = true;
        }
      }
      model.sort(byPlace);
      while (model.length > 0) expect(heap.pop()).toBe(model.shift());
      expect(heap.size).toBe(0);
      expect(heap.key).toBe(Number.POSITIVE_INFINITY);
    }),
    { seed: 1 },
  );
});
