// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Preempted, type Process, Simulation, simulate } from './index.js';

interface Customer {
  readonly arrives: number;
  readonly works: number;
  readonly priority: number;
}

/** When each customer begins: from one arrival or departure to the next. No two of them are at one instant. */
function model(customers: readonly Customer[], capacity: number): number[] {
  const begins: number[] = [];
  const coming = customers.map((customer, id) => ({ ...customer, id })).sort((a, b) => a.arrives - b.arrives);
  const waiting: typeof coming = [];
  let ends: number[] = [];
  while (coming.length + waiting.length > 0) {
    const now = Math.min(coming[0]?.arrives ?? Number.POSITIVE_INFINITY, ...ends);
    ends = ends.filter((end) => end > now);
    if (coming[0]?.arrives === now) waiting.push(coming.shift() as (typeof coming)[number]);
    waiting.sort((a, b) => a.priority - b.priority || a.arrives - b.arrives);
    while (waiting.length > 0 && ends.length < capacity) {
      const { id, works } = waiting.shift() as (typeof coming)[number];
      begins[id] = now;
      ends.push(now + works);
    }
  }
  return begins;
}

describe('a resource', () => {
  it('serves by priority, then in the order of coming, as a plain model does', async () => {
    const customer = fc.record({ arrives: fc.nat(30), works: fc.nat(8), priority: fc.nat(2) });
    const capacity = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(customer, { maxLength: 25 }), capacity, async (plan, capacity) => {
        // Arrivals, and the departures that follow from them, are at instants of their own.
        const customers = plan.map(({ arrives, works, priority }, id) => ({
          arrives: 1000 * arrives + id,
          works: 1000 * (works + 1),
          priority,
        }));
        const sim = new Simulation();
        const resource = sim.resource({ capacity });
        const begins: number[] = [];
        let most = 0;
        customers.forEach(({ arrives, works, priority }, id) => {
          sim.at(BigInt(arrives), async () => {
            const grant = await resource.request({ priority });
            begins[id] = Number(sim.now);
            most = Math.max(most, resource.busy.value);
            await sim.sleep(BigInt(works));
            grant.release();
          });
        });
        await sim.run();
        expect(most).toBeLessThanOrEqual(capacity);
        expect(begins).toEqual(model(customers, capacity));
        expect(resource.busy.value).toBe(0);
        expect(resource.queue.value).toBe(0);
        expect(resource.waited.count).toBe(customers.length);
      }),
      { seed: 3 },
    );
  });

  it('knows how busy it was and how long one waited', async () => {
    const sim = new Simulation();
    const resource = sim.resource({ name: 'server' });
    for (const time of ['0s', '1s']) {
      sim.at(time, () => resource.use(() => sim.sleep('4s')));
    }
    await sim.run('10s');
    expect(resource.utilization).toBe(0.8);
    expect(resource.queue.mean).toBe(0.3);
    expect(resource.queue.max).toBe(1);
    expect(resource.waited.mean).toBe(1.5);
  });

  it('is given back when the work fails', async () => {
    await simulate(async (sim) => {
      const resource = sim.resource();
      await expect(resource.use(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
      expect(resource.tryRequest()?.held).toBe(true);
      expect(resource.tryRequest()).toBeUndefined();
    });
  });

  it('refuses to be released twice, and a capacity that is none', async () => {
    await simulate(async (sim) => {
      const grant = await sim.resource({ name: 'bus' }).request();
      grant.release();
      expect(() => grant.release()).toThrow('bus was released twice');
      for (const capacity of [0, -1, 1.5, Number.NaN]) {
        expect(() => sim.resource({ capacity })).toThrow(/must be 1 or more/);
      }
    });
  });
});

describe('preemption', () => {
  it('takes from the least urgent who got it last, throws Preempted there, and tells how long it was held', async () => {
    await simulate(async (sim) => {
      const resource = sim.resource({ name: 'cpu', capacity: 2 });
      const log: string[] = [];
      const job = (name: string, priority: number, preempt: boolean): Process<void> =>
        sim.process(name, async () => {
          const grant = await resource.request({ priority, preempt });
          log.push(`${name} begins ${sim.seconds}`);
          try {
            await sim.sleep('10s');
            log.push(`${name} ends ${sim.seconds}`);
          } catch (error) {
            expect(grant.preempted).toBe(true);
            if (error instanceof Preempted) log.push(`${name} had ${Number(error.heldFor) / 1e9}`);
          }
          grant.release();
        });
      job('low', 5, false);
      job('lower', 5, false);
      await sim.sleep('3s');
      job('equal', 5, true);
      await sim.sleep('1s');
      job('high', 1, true);
      await sim.sleep('1h');
      expect(log).toEqual([
        'low begins 0',
        'lower begins 0',
        'high begins 4',
        'lower had 4',
        'low ends 10',
        'equal begins 10',
        'high ends 14',
        'equal ends 20',
      ]);
    });
  });

  it('of a unit that was given and not yet taken', async () => {
    await simulate(async (sim) => {
      const resource = sim.resource();
      const grant = await resource.request();
      const waiting = sim.process('waiting', () => resource.request({ priority: 3 }));
      await sim.sleep('1s');
      grant.release();
      const mine = await resource.request({ priority: 1, preempt: true });
      await expect(waiting).rejects.toThrow(Preempted);
      expect(resource.busy.value).toBe(1);
      mine.release();
      expect(resource.busy.value).toBe(0);
    });
  });

  it('that nobody handles ends the run', async () => {
    const run = simulate(async (sim) => {
      const resource = sim.resource({ name: 'cpu' });
      sim.process('low', () => resource.use(() => sim.sleep('5s'), { priority: 2 }));
      await sim.sleep('1s');
      await resource.request({ priority: 1, preempt: true });
      await sim.sleep('9s');
    });
    await expect(run).rejects.toThrow('cpu was taken by a request of a higher priority');
  });
});
