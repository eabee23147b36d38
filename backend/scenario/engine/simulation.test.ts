// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Cancelled, Simulation, simulate, TimedOut } from './index.js';

describe('time', () => {
  it('passes for processes beside each other', async () => {
    const log: string[] = [];
    await simulate(async (sim) => {
      const other = sim.process('other', async () => {
        await sim.sleep('2s');
        log.push(`other ${sim.seconds}`);
        return 7;
      });
      await sim.sleep('1s');
      log.push(`main ${sim.seconds}`);
      expect(await other).toBe(7);
      expect(sim.now).toBe(2_000_000_000n);
    });
    expect(log).toEqual(['main 1', 'other 2']);
  });

  it('is exact, also where a double is not', async () => {
    await simulate(async (sim) => {
      await sim.sleep(2n ** 60n + 1n);
      expect(sim.now).toBe(2n ** 60n + 1n);
      await sim.sleep('1ns');
      await sim.at(2n ** 60n + 3n);
      expect(sim.now).toBe(2n ** 60n + 3n);
      await sim.sleep(2n ** 53n - 1n);
      await sim.sleep(2n ** 53n - 1n);
      expect(sim.now).toBe(2n ** 60n + 2n ** 54n + 1n);
    });
  });

  it('can be waited for as an instant; the past cannot', async () => {
    await simulate(async (sim) => {
      await sim.at('5s');
      expect(sim.seconds).toBe(5);
      expect(() => sim.at('4s')).toThrow('nothing can be done at 4.000000000 s: it is 5.000000000 s already');
      expect(await sim.at('6s', () => sim.seconds)).toBe(6);
    });
  });

  it.each(['10', '1.5', '-1s', 's', '', '1d'])('refuses %j as a duration', async (text) => {
    const sim = new Simulation();
    expect(() => sim.sleep(text)).toThrow(/expected a duration such as 10ms/);
  });

  it('refuses bare numbers and negative spans', () => {
    const sim = new Simulation();
    expect(() => sim.sleep(5 as unknown as bigint)).toThrow(/expected a duration .* found 5/);
    expect(() => sim.sleep(-1n)).toThrow(/cannot be negative; found -1 ns/);
    expect(() => sim.every('0s', () => {})).toThrow(/never let time pass/);
  });

  it('comes to `until`, and what is at it waits for the next run', async () => {
    const sim = new Simulation();
    const seen: number[] = [];
    sim.every('1s', () => seen.push(sim.seconds));
    await sim.run('3s');
    expect(sim.seconds).toBe(3);
    expect(seen).toEqual([1, 2]);
    await sim.run('3001ms');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('does things again and again, without drift, and leaves out what falls due meanwhile', async () => {
    await simulate(async (sim) => {
      const seen: number[] = [];
      const ticks = sim.every('10ms', async () => {
        seen.push(Number(sim.now) / 1e6);
        if (seen.length === 2) await sim.sleep('25ms');
      });
      await sim.at('75ms');
      ticks.cancel();
      await sim.at('1s');
      expect(seen).toEqual([10, 20, 50, 60, 70]);
      expect(ticks.state).toBe('cancelled');
    });
  });

  it('has callbacks, which can be called off', async () => {
    const sim = new Simulation();
    const seen: string[] = [];
    sim.after('2s', () => seen.push(`two ${sim.seconds}`));
    sim.after('1s', async () => {
      await sim.sleep('3s');
      seen.push(`four ${sim.seconds}`);
    });
    sim.after('1s', () => seen.push('not')).cancel();
    await sim.run();
    expect(seen).toEqual(['two 2', 'four 4']);
  });
});

describe('signals and events', () => {
  it('a signal tells all who wait, in their order, and nobody who comes later', async () => {
    await simulate(async (sim) => {
      const signal = sim.signal<number>('door');
      const seen: string[] = [];
      for (const name of ['a', 'b']) {
        sim.process(name, async () => {
          for (;;) seen.push(`${name}${await signal.wait()}`);
        });
      }
      signal.fire(0);
      await sim.sleep('1s');
      expect(signal.waiting).toBe(2);
      signal.fire(1);
      await sim.sleep('1s');
      signal.fire(2);
      await sim.sleep(0n);
      expect(seen).toEqual(['a1', 'b1', 'a2', 'b2']);
    });
  });

  it('an event happens once, and can be awaited before and after', async () => {
    await simulate(async (sim) => {
      const event = sim.event<string>('ready');
      sim.after('1s', () => event.succeed('yes'));
      expect(event.happened).toBe(false);
      expect(await event).toBe('yes');
      expect(sim.seconds).toBe(1);
      expect(await event).toBe('yes');
      expect(event.value).toBe('yes');
      expect(event.succeed('no')).toBe(false);
      const failing = sim.event();
      sim.after('1s', () => failing.fail(new Error('broken')));
      await expect(failing).rejects.toThrow('broken');
      await expect(failing).rejects.toThrow('broken');
    });
  });
});

describe('any, all, timeout', () => {
  it('any tells what came first, and cancels the rest', async () => {
    await simulate(async (sim) => {
      const signal = sim.signal<number>();
      const event = sim.event<string>();
      const sleeper = sim.process('sleeper', () => sim.sleep('1h'));
      let cleaned = false;
      sim.after('1s', () => signal.fire(5));
      const first = await sim.any({
        signal: signal.wait(),
        event,
        sleeper,
        sleep: sim.sleep('2s'),
        work: async () => {
          try {
            await sim.sleep('3s');
          } finally {
            cleaned = true;
          }
        },
      });
      expect(first).toEqual({ key: 'signal', value: 5 });
      if (first.key === 'signal') expect(first.value.toFixed(1)).toBe('5.0');
      await sim.sleep(0n);
      expect(sleeper.state).toBe('cancelled');
      expect(cleaned).toBe(true);
      expect(sim.waits()).toEqual([]);
      expect(sim.engine.next).toBe(2n ** 63n - 1n);
    });
  });

  it('any of a list has the place as its key, and the earlier made at one instant wins', async () => {
    await simulate(async (sim) => {
      expect(await sim.any([sim.sleep('2s'), sim.sleep('1s'), sim.sleep('1s')])).toEqual({ key: 1 });
      expect(sim.seconds).toBe(1);
    });
  });

  it('any throws where the first is an error', async () => {
    await simulate(async (sim) => {
      const bad = async () => {
        await sim.sleep('1s');
        throw new Error('bad');
      };
      await expect(sim.any([bad, sim.sleep('2s')])).rejects.toThrow('bad');
      expect(sim.seconds).toBe(1);
    });
  });

  it('all gives all values, by name or place', async () => {
    await simulate(async (sim) => {
      const three = sim.process(async () => {
        await sim.sleep('1s');
        return 3;
      });
      const { three: value, text } = await sim.all({ three, text: async () => 'text' });
      expect(value + text.length).toBe(7);
      expect(await sim.all([sim.sleep('1s'), Promise.resolve(2)])).toEqual([undefined, 2]);
      expect(sim.seconds).toBe(2);
    });
  });

  it('all throws the first error, and cancels the rest', async () => {
    await simulate(async (sim) => {
      const sleeper = sim.process(() => sim.sleep('1h'));
      const bad = async () => {
        await sim.sleep('1s');
        throw new Error('bad');
      };
      await expect(sim.all([sleeper, bad])).rejects.toThrow('bad');
      await sim.sleep(0n);
      expect(sleeper.state).toBe('cancelled');
    });
  });

  it('timeout throws when its time is over, and costs nothing where it is not', async () => {
    await simulate(async (sim) => {
      const signal = sim.signal<number>('never');
      await expect(sim.timeout(signal.wait(), '3s')).rejects.toThrow(TimedOut);
      expect(sim.seconds).toBe(3);
      expect(signal.waiting).toBe(0);
      sim.after('1s', () => signal.fire(9));
      expect(await sim.timeout(signal.wait(), '3s')).toBe(9);
      expect(sim.seconds).toBe(4);
      expect(sim.engine.next).toBe(2n ** 63n - 1n);
      await expect(sim.timeout(() => sim.sleep('9s'), '2s')).rejects.toThrow('not done within 2s');
    });
  });
});

describe('external', () => {
  const real = (ms: number) => new Promise<number>((resolve) => setTimeout(resolve, ms, ms));

  it('holds time still, and ends in the order of the calls', async () => {
    await simulate(async (sim) => {
      const seen: string[] = [];
      sim.every('1ms', () => seen.push('tick'));
      await sim.sleep('500us');
      sim.process('slow', async () => seen.push(`slow ${await sim.external(real(20))} ${sim.seconds}`));
      sim.process('fast', async () => seen.push(`fast ${await sim.external(real(1))} ${sim.seconds}`));
      await sim.sleep('1ms');
      expect(seen).toEqual(['slow 20 0.0005', 'fast 1 0.0005', 'tick']);
    });
  });

  it('throws what the promise throws, and can be cancelled', async () => {
    await simulate(async (sim) => {
      await expect(sim.external(Promise.reject(new Error('no file')))).rejects.toThrow('no file');
      const process = sim.process('waits for ever', () => sim.external(new Promise(() => {})));
      sim.process('cancels', () => process.cancel());
      await expect(process).rejects.toThrow(Cancelled);
      await sim.sleep('1s');
    });
  });
});

describe('faults', () => {
  it('an error that nobody awaits ends the run, with the stack of the script', async () => {
    const run = simulate(async (sim) => {
      sim.process('bad', async function culprit() {
        await sim.sleep('1s');
        throw new Error('of the script');
      });
      await sim.sleep('1h');
    });
    const error = await run.catch((error: Error) => error);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toBe('of the script');
    expect((error as Error).stack).toMatch(/culprit.*simulation\.test\.ts/);
  });

  it.each([
    ['a process', (sim: Simulation) => sim.process(() => Promise.reject(new Error('x')))],
    [
      'a process that is no async function',
      (sim: Simulation) =>
        sim.process(() => {
          throw new Error('x');
        }),
    ],
    [
      'a callback',
      (sim: Simulation) =>
        sim.after('1s', () => {
          throw new Error('x');
        }),
    ],
    ['an async callback', (sim: Simulation) => sim.after('1s', () => Promise.reject(new Error('x')))],
    ['what is done every second', (sim: Simulation) => sim.every('1s', () => Promise.reject(new Error('x')))],
  ])('an error of %s ends the run', async (_, begin) => {
    const sim = new Simulation();
    begin(sim);
    await expect(sim.run()).rejects.toThrow('x');
  });

  it('an error that is awaited belongs to who awaits', async () => {
    await simulate(async (sim) => {
      const bad = sim.process('bad', async () => {
        await sim.sleep('1s');
        throw new Error('caught');
      });
      await expect(bad).rejects.toThrow('caught');
      await expect(bad).rejects.toThrow('caught');
      expect(bad.state).toBe('failed');
    });
  });

  it('says where a script waits for what cannot happen', async () => {
    const run = simulate(async function script(sim) {
      const door = sim.signal('door');
      const lock = sim.resource({ name: 'lock' });
      await lock.request();
      sim.process('visitor', async function visit() {
        await sim.any({ open: door.wait(), other: sim.event('other') });
      });
      sim.process('locksmith', async function open() {
        await lock.use(() => {});
      });
      await sim.sleep('2s');
      await sim.store({ name: 'mailbox' }).get();
    });
    const { message } = (await run.catch((error: unknown) => error)) as Error;
    expect(message).toMatch(/^at 2.000000000 s nothing is left that could happen, and the script waits:\n/);
    expect(message).toMatch(
      /main waits for an item of mailbox\n +at (async )?script .*simulation\.test\.ts:\d+/,
    );
    expect(message).toMatch(/visitor waits for signal door\n +at (async )?visit .*simulation\.test\.ts:\d+/);
    expect(message).toMatch(/visitor waits for event other\n +at (async )?visit .*simulation\.test\.ts:\d+/);
    expect(message).toMatch(
      /locksmith waits for lock, which is held by main\n +at (async )?open .*simulation\.test\.ts:\d+/,
    );
  });

  it('ends a script that never lets time pass', async () => {
    const run = simulate(
      async (sim) => {
        await sim.sleep('1s');
        for (;;) await sim.sleep(0n);
      },
      { instantLimit: 5000 },
    );
    await expect(run).rejects.toThrow(/time stands still at 1.000000000 s: 5000 events/);
  });
});

it('the same seed gives the same sequence, and another seed another', async () => {
  const trace = async (seed: bigint) => {
    const lines: string[] = [];
    await simulate(
      async (sim) => {
        const server = sim.resource({ capacity: 2 });
        const store = sim.store<number>({ capacity: 3 });
        for (let k = 0; k < 20; k++) {
          sim.process(`p${k}`, async () => {
            const random = sim.random();
            for (let n = 0; n < 20; n++) {
              await sim.sleep(random.uniform('0s', '10ms'));
              await server.use(() => sim.sleep(random.exponential('1ms')), {
                priority: random.integer(0, 2),
              });
              await store.put(k);
              lines.push(`${sim.now} p${k} ${await store.get()}`);
            }
          });
        }
        await sim.sleep('10s');
      },
      { seed },
    );
    return lines;
  };
  const first = await trace(7n);
  expect(first).toHaveLength(400);
  expect(await trace(7n)).toEqual(first);
  expect(await trace(8n)).not.toEqual(first);
});
