// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Simulation, simulate } from './index.js';

describe('a store', () => {
  it('hands over each item once, in its order, whatever comes when', async () => {
    const step = fc.record({ put: fc.boolean(), at: fc.bigInt(0n, 40n) });
    const order = fc.option(
      fc.constant((a: number, b: number) => (a % 3) - (b % 3)),
      { nil: undefined },
    );
    const capacity = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), capacity, order, async (steps, capacity, order) => {
        const sim = new Simulation();
        const store = sim.store<number>({ capacity, ...(order === undefined ? {} : { order }) });
        const got: number[] = [];
        const put: number[] = [];
        let gets = 0;
        steps.forEach(({ put: puts, at }, id) => {
          sim.at(at, async () => {
            if (puts) {
              await store.put(id);
              put.push(id);
            } else {
              gets++;
              got.push(await store.get());
            }
            expect(store.size).toBeLessThanOrEqual(capacity);
          });
        });
        await sim.run();
        const puts = steps.length - gets;
        expect(got).toHaveLength(Math.min(gets, puts));
        expect(put).toHaveLength(Math.min(puts, gets + capacity));
        expect([...got, ...store.items].sort((a, b) => a - b)).toEqual([...put].sort((a, b) => a - b));
        if (order === undefined) {
          const coming = steps.map(({ put, at }, id) => ({ put, at, id })).filter(({ put }) => put);
          coming.sort((a, b) => Number(a.at - b.at) || a.id - b.id);
          expect([...got, ...store.items]).toEqual(coming.slice(0, put.length).map(({ id }) => id));
        } else expect(store.items).toEqual([...store.items].sort((a, b) => order(a, b)));
      }),
      { seed: 4 },
    );
  });

  it('gives the first item that a filter accepts, and lets the others wait', async () => {
    await simulate(async (sim) => {
      const store = sim.store<string>();
      const got: string[] = [];
      sim.process(async () => got.push(`b: ${await store.get((item) => item.startsWith('b'))}`));
      sim.process(async () => got.push(`any: ${await store.get()}`));
      await sim.sleep('1s');
      for (const item of ['a1', 'a2', 'b1']) await store.put(item);
      await sim.sleep('1s');
      expect(got).toEqual(['any: a1', 'b: b1']);
      expect(store.poll((item) => item === 'no')).toBeUndefined();
      expect(await store.get((item) => item === 'a2')).toBe('a2');
      expect(store.poll()).toBeUndefined();
      expect(store.waited.mean).toBeCloseTo(2 / 3);
    });
  });

  it('gives items by their order, and equal ones as they came', async () => {
    await simulate(async (sim) => {
      const store = sim.store<[number, string]>({ order: ([a], [b]) => a - b });
      for (const item of [
        [2, 'a'],
        [1, 'b'],
        [2, 'c'],
        [1, 'd'],
      ] as [number, string][])
        store.offer(item);
      expect(await store.get(([, name]) => name === 'c')).toEqual([2, 'c']);
      const names: string[] = [];
      while (store.size > 0) names.push((await store.get())[1]);
      expect(names).toEqual(['b', 'd', 'a']);
    });
  });

  it('drops what is offered and has no room', async () => {
    await simulate(async (sim) => {
      const store = sim.store<number>({ capacity: 2 });
      expect([1, 2, 3].map((item) => store.offer(item))).toEqual([true, true, false]);
      expect(store.dropped).toBe(1);
      expect(() => sim.store({ name: 'none', capacity: 0 })).toThrow(/capacity of none must be 1 or more/);
    });
  });

  it('can hold what is undefined', async () => {
    await simulate(async (sim) => {
      const store = sim.store<number | undefined>();
      store.offer(undefined);
      store.offer(1);
      expect(await store.get()).toBeUndefined();
      expect(await store.get()).toBe(1);
    });
  });
});

describe('a container', () => {
  it('lets who comes first be served first, as soon as there is enough', async () => {
    await simulate(async (sim) => {
      const tank = sim.container({ name: 'tank', capacity: 10, initial: 4 });
      const log: string[] = [];
      const get = (amount: number) =>
        sim.process(async () => {
          await tank.get(amount);
          log.push(`${amount} at ${sim.seconds}`);
        });
      get(6);
      get(1);
      await sim.sleep('1s');
      await tank.put(1);
      await sim.sleep('1s');
      await tank.put(3);
      await sim.sleep('1s');
      expect(log).toEqual(['6 at 2', '1 at 2']);
      expect(tank.level.value).toBe(1);
      const put = sim.process(() => tank.put(10));
      await sim.sleep('1s');
      expect(put.over).toBe(false);
      await tank.get(1);
      await put;
      expect(tank.level.value).toBe(10);
      expect(tank.level.max).toBe(10);
    });
  });

  it('refuses amounts that can never be', async () => {
    await simulate(async (sim) => {
      const tank = sim.container({ name: 'tank', capacity: 10 });
      for (const amount of [0, -1, 11, Number.NaN]) {
        expect(() => tank.get(amount)).toThrow(/above 0 and no more than its capacity, 10/);
        expect(() => tank.put(amount)).toThrow(/above 0/);
      }
      expect(() => sim.container({ capacity: 1, initial: 2 })).toThrow(/found 1 and 2/);
    });
  });
});
