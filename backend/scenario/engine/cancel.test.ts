// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Cancelled, type Process, type Simulation, simulate } from './index.js';

/** Everything that a process can wait for, with a check that nothing of it is left when it was cancelled there. */
const places: {
  readonly [name: string]: (sim: Simulation) => { wait: () => PromiseLike<unknown>; left?: () => unknown };
} = {
  'a sleep': (sim) => ({ wait: () => sim.sleep('1h') }),
  'a far sleep': (sim) => ({ wait: () => sim.sleep(2n ** 60n) }),
  'an instant': (sim) => ({ wait: () => sim.at('1h') }),
  'a signal': (sim) => {
    const signal = sim.signal();
    return { wait: () => signal.wait(), left: () => signal.waiting };
  },
  'an event': (sim) => {
    const event = sim.event();
    return { wait: () => event };
  },
  'a process': (sim) => {
    const other = sim.process('other', () => sim.signal().wait());
    return { wait: () => other, left: () => (other.state === 'running' ? 0 : other.state) };
  },
  'a request': (sim) => {
    const resource = sim.resource();
    const holder = resource.tryRequest();
    return {
      wait: () => resource.request(),
      left: () => {
        expect(resource.queue.value).toBe(0);
        holder?.release();
        return resource.busy.value;
      },
    };
  },
  'an item': (sim) => {
    const store = sim.store<number>();
    return {
      wait: () => store.get(),
      left: () => {
        store.offer(1);
        return store.size - 1;
      },
    };
  },
  'room for an item': (sim) => {
    const store = sim.store<number>({ capacity: 1 });
    store.offer(1);
    return {
      wait: () => store.put(2),
      left: () => {
        expect(store.poll()).toBe(1);
        return store.size;
      },
    };
  },
  'an amount': (sim) => {
    const container = sim.container({ capacity: 5 });
    return {
      wait: () => container.get(2),
      left: () => {
        void container.put(3);
        return container.level.value - 3;
      },
    };
  },
  'room for an amount': (sim) => {
    const container = sim.container({ capacity: 5, initial: 5 });
    return {
      wait: () => container.put(2),
      left: () => {
        void container.get(3);
        return container.level.value - 2;
      },
    };
  },
  'any of some': (sim) => ({ wait: () => sim.any([sim.sleep('1h'), () => sim.sleep('2h')]) }),
  'all of some': (sim) => ({ wait: () => sim.all([sim.sleep('1h'), () => sim.sleep('2h')]) }),
  'Promise.all of some': (sim) => ({ wait: () => Promise.all([sim.sleep('1h'), sim.signal().wait()]) }),
  'a time-out': (sim) => ({ wait: () => sim.timeout(sim.signal().wait(), '1h') }),
};

describe.each(Object.entries(places))('a process that waits for %s', (_, place) => {
  it('gets Cancelled thrown there, at the instant of the call, and leaves nothing', async () => {
    await simulate(async (sim) => {
      const { wait, left } = place(sim);
      let caught: unknown;
      const process: Process<void> = sim.process('cancelled', async () => {
        try {
          await wait();
        } catch (error) {
          caught = error;
          expect(sim.now).toBe(1_000_000_000n);
          throw error;
        }
      });
      await sim.sleep('1s');
      process.cancel('no more');
      process.cancel('not heard');
      await expect(process).rejects.toThrow('cancelled: no more');
      expect(caught).toBeInstanceOf(Cancelled);
      expect((caught as Cancelled).reason).toBe('no more');
      expect(process.state).toBe('cancelled');
      await sim.sleep(0n);
      expect(left?.() ?? 0).toBe(0);
      expect(sim.waits().filter(({ process }) => process === 'cancelled')).toEqual([]);
      await sim.sleep('3h');
    });
  });

  it('can go on when it has caught it', async () => {
    await simulate(async (sim) => {
      const { wait } = place(sim);
      const process = sim.process(async () => {
        await Promise.resolve(wait()).catch(() => undefined);
        await sim.sleep('1s');
        return sim.seconds;
      });
      await sim.sleep('1s');
      process.cancel();
      expect(await process).toBe(2);
    });
  });

  it('can cancel itself before it waits', async () => {
    await simulate(async (sim) => {
      const { wait, left } = place(sim);
      const process = sim.process(async (self: Process<unknown>) => {
        self.cancel('by myself');
        await wait();
      });
      await expect(process).rejects.toThrow('by myself');
      await sim.sleep(0n);
      expect(left?.() ?? 0).toBe(0);
    });
  });
});

describe('what was given and not yet taken', () => {
  it('a unit goes to the next', async () => {
    await simulate(async (sim) => {
      const resource = sim.resource();
      const grant = await resource.request();
      const first = sim.process('first', () => resource.request());
      const second = sim.process('second', () => resource.request());
      await sim.sleep('1s');
      grant.release();
      first.cancel();
      await expect(first).rejects.toThrow(Cancelled);
      (await second).release();
      expect(resource.busy.value).toBe(0);
    });
  });

  it('an item goes back to its place', async () => {
    await simulate(async (sim) => {
      const store = sim.store<number>();
      const getter = sim.process(() => store.get());
      await sim.sleep('1s');
      store.offer(1);
      store.offer(2);
      getter.cancel();
      await expect(getter).rejects.toThrow(Cancelled);
      expect(store.items).toEqual([1, 2]);
      expect(store.level.value).toBe(2);
    });
  });

  it('an amount goes back', async () => {
    await simulate(async (sim) => {
      const container = sim.container();
      const getter = sim.process(() => container.get(2));
      const other = sim.process(() => container.get(2));
      await sim.sleep('1s');
      await container.put(2);
      getter.cancel();
      await other;
      await expect(getter).rejects.toThrow(Cancelled);
      expect(container.level.value).toBe(0);
    });
  });

  it('of any that lose at the same instant too', async () => {
    await simulate(async (sim) => {
      const stores = [sim.store<number>(), sim.store<number>()] as const;
      sim.after('1s', () => {
        for (const store of stores) store.offer(1);
      });
      expect(await sim.any([stores[0].get(), stores[1].get()])).toEqual({ key: 0, value: 1 });
      expect(stores.map(({ size }) => size)).toEqual([0, 1]);
    });
  });
});

it('what was begun for a wait ends with it', async () => {
  await simulate(async (sim) => {
    const ended: string[] = [];
    const work = (name: string) => async () => {
      try {
        await sim.sleep('1h');
      } finally {
        ended.push(`${name} ${sim.seconds}`);
      }
    };
    const waits: (() => Promise<unknown>)[] = [
      () => sim.any([work('any')]),
      () => sim.all([work('all')]),
      () => sim.timeout(work('timeout'), '2h'),
    ];
    const processes = waits.map((wait) => sim.process(wait));
    await sim.sleep('1s');
    for (const process of processes) process.cancel();
    await sim.sleep('1s');
    expect(ended).toEqual(['any 1', 'all 1', 'timeout 1']);
    expect(processes.map(({ state }) => state)).toEqual(Array(3).fill('cancelled'));
  });
});

it('a process that has not begun does not begin', async () => {
  await simulate(async (sim) => {
    const process = sim.process(() => expect.unreachable());
    process.cancel();
    await expect(process).rejects.toThrow(Cancelled);
    process.cancel();
    expect(process.state).toBe('cancelled');
  });
});

it('nobody need await a cancelled process; one that fails in its cleaning up ends the run', async () => {
  await simulate(async (sim) => {
    const process = sim.process(() => sim.sleep('1h'));
    await sim.sleep('1s');
    process.cancel();
    await sim.sleep('1s');
  });
  const run = simulate(async (sim) => {
    const process = sim.process(async () => {
      await sim.sleep('1h').catch(() => {
        throw new Error('in cleaning up');
      });
    });
    await sim.sleep('1s');
    process.cancel();
    await sim.sleep('1s');
  });
  await expect(run).rejects.toThrow('in cleaning up');
});

it('who awaits a cancelled process, and does not expect it, fails', async () => {
  const run = simulate(async (sim) => {
    const inner = sim.process('inner', () => sim.sleep('1h'));
    sim.process('outer', async () => {
      await inner;
    });
    await sim.sleep('1s');
    inner.cancel('gone');
    await sim.sleep('1s');
  });
  await expect(run).rejects.toThrow('cancelled: gone');
});
