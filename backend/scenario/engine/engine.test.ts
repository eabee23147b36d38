// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Instant, NEVER } from '../../calendar/time.js';
import { Engine } from './engine.js';

const at = (nanoseconds: bigint | number) => BigInt(nanoseconds) as Instant;

function run(engine: Engine, until: Instant = NEVER): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.run(until, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

describe('order', () => {
  it('T1, T3: is by time, and at one instant as events were made', async () => {
    // Times beyond 2^53 ns, some close together, among near ones.
    const time = fc.oneof(
      fc.bigInt(0n, 20n),
      fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n),
      fc.bigInt(0n, 2n ** 62n),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ time, more: fc.option(time) }), { maxLength: 60 }),
        async (plan) => {
          const engine = new Engine();
          const made: { time: bigint; id: number }[] = [];
          const seen: { time: bigint; id: number }[] = [];
          const make = (time: bigint, more: bigint | null) => {
            const event = { time, id: made.length };
            made.push(event);
            engine.schedule(at(time), () => {
              expect(engine.now).toBe(time);
              seen.push(event);
              if (more !== null) make(time + more, null);
            });
          };
          for (const { time, more } of plan) make(time, more);
          await run(engine);
          expect(seen).toEqual(
            [...made].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id)),
          );
          expect(engine.next).toBe(NEVER);
        },
      ),
      { seed: 2 },
    );
  });

  it('runs what is before `until`, and not what is at it', async () => {
    const engine = new Engine();
    const seen: bigint[] = [];
    for (const time of [3, 5, 9]) engine.schedule(at(time), () => seen.push(engine.now));
    await run(engine, at(5));
    expect(seen).toEqual([3n]);
    expect(engine.next).toBe(5n);
    await run(engine, at(6));
    expect(seen).toEqual([3n, 5n]);
    expect(engine.now).toBe(5n);
    expect(engine.next).toBe(9n);
  });

  it('T1: refuses the past', async () => {
    const engine = new Engine();
    engine.reach(at(10));
    expect(() => engine.schedule(at(9), () => {})).toThrow(
      /cannot be at 0.000000009 s: it is 0.000000010 s already/,
    );
    engine.reach(at(4));
    expect(engine.now).toBe(10n);
  });

  it('lets time come to an event, and not past it', () => {
    const engine = new Engine();
    engine.schedule(at(10), () => {});
    engine.reach(at(10));
    expect(engine.next).toBe(10n);
    expect(() => engine.reach(at(11))).toThrow(/an event waits at 0.000000010 s/);
  });

  it('lets what was made before time came there be first', async () => {
    const engine = new Engine();
    const seen: string[] = [];
    engine.schedule(at(10), () => {
      seen.push('first');
      engine.schedule(at(10), () => seen.push('third'));
    });
    engine.schedule(at(10), () => seen.push('second'));
    await run(engine);
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  it('never comes to NEVER', async () => {
    const engine = new Engine();
    engine.schedule(NEVER, () => expect.unreachable());
    await run(engine);
    expect(engine.now).toBe(0n);
    expect(engine.next).toBe(NEVER);
  });

  it('forgets what is cancelled, be it many', async () => {
    const engine = new Engine();
    let left = 0;
    const handles = Array.from({ length: 5000 }, (_, k) =>
      engine.schedule(at(1000 - (k % 997)), () => left++),
    );
    handles.forEach((handle, k) => {
      if (k % 10 !== 0) handle.cancel();
    });
    handles[1]?.cancel();
    engine.schedule(at(2n ** 60n), () => expect.unreachable()).cancel();
    await run(engine);
    expect(left).toBe(500);
    expect(engine.next).toBe(NEVER);
    handles[0]?.cancel();
  });
});

describe('quiet', () => {
  /** What must have come to rest when the next event happens. */
  const chains: { readonly [name: string]: () => Promise<unknown> } = {
    'an await nested 50 deep': () => {
      const nested = async (depth: number): Promise<void> => {
        if (depth > 0) await nested(depth - 1);
      };
      return nested(50);
    },
    'ten thousand awaits': async () => {
      for (let k = 0; k < 10_000; k++) await undefined;
    },
    'Promise.all of chains of different lengths': () =>
      Promise.all(
        Array.from({ length: 30 }, async (_, length) => {
          for (let k = 0; k < length; k++) await undefined;
        }),
      ).then(() => Promise.allSettled([Promise.reject(new Error('x')), Promise.race([1, 2])])),
    'an async generator': async () => {
      async function* numbers() {
        for (let k = 0; k < 20; k++) yield await Promise.resolve(k);
      }
      for await (const _ of numbers());
    },
    thenables: async () => {
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
      const thenable = { then: (resolve: (value: number) => void) => queueMicrotask(() => resolve(1)) };
      for (let k = 0; k < 20; k++) await thenable;
    },
    'ticks that make microtasks that make ticks': () =>
      new Promise<void>((resolve) => {
        let left = 20;
        const tick = () => (left-- === 0 ? resolve() : queueMicrotask(tick));
        tick();
      }),
    'a rejection that is handled late': () =>
      Promise.reject(new Error('x'))
        .then(() => {})
        .then(() => {})
        .catch(() => {}),
  };

  for (const [name, chain] of Object.entries(chains)) {
    it(`waits for ${name}`, async () => {
      const engine = new Engine();
      const seen: string[] = [];
      for (const id of ['a', 'b']) {
        engine.schedule(at(1), () => {
          seen.push(`${id} begins`);
          void chain().then(() => seen.push(`${id} ends`));
        });
      }
      await run(engine, at(2));
      expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    });
  }

  it('waits for what was there before the run', async () => {
    const engine = new Engine();
    const seen: string[] = [];
    void (chains['ten thousand awaits'] as () => Promise<unknown>)().then(() => seen.push('before'));
    engine.schedule(at(0), () => seen.push('event'));
    await run(engine);
    expect(seen).toEqual(['before', 'event']);
  });

  it('lets the event loop have a turn in a long run', async () => {
    const engine = new Engine();
    let ended = false;
    let turns = 0;
    const turn = () => {
      turns++;
      if (!ended) setImmediate(turn);
    };
    const tick = () => engine.now < 300_000n && engine.schedule(at(engine.now + 1n), tick);
    tick();
    setImmediate(turn);
    await run(engine);
    ended = true;
    expect(turns).toBeGreaterThan(3);
  });
});

describe('faults', () => {
  it('an event that throws ends the run with what it threw, and the engine can go on', async () => {
    const engine = new Engine();
    const error = new Error('of the script');
    const seen: string[] = [];
    engine.schedule(at(1), () => {
      throw error;
    });
    engine.schedule(at(1), () => seen.push('later'));
    await expect(run(engine)).rejects.toBe(error);
    expect(seen).toEqual([]);
    await run(engine);
    expect(seen).toEqual(['later']);
  });

  it('ends what never lets time pass', async () => {
    const engine = new Engine({ instantLimit: 1000 });
    let count = 0;
    const again = () => {
      count++;
      engine.schedule(engine.now, again);
    };
    engine.schedule(at(2_000_000_000), again);
    await expect(run(engine)).rejects.toThrow(/time stands still at 2.000000000 s: 1000 events/);
    expect(count).toBe(1000);
  });

  it('counts the events of each instant anew', async () => {
    const engine = new Engine({ instantLimit: 3 });
    for (let k = 0; k < 30; k++) engine.schedule(at((k / 3) | 0), () => {});
    await run(engine);
    expect(engine.events).toBe(30);
  });

  it('does not run twice at once', async () => {
    const engine = new Engine();
    const first = run(engine);
    expect(() => engine.run(NEVER, () => {})).toThrow(/runs already/);
    await first;
  });

  it('holds time, lets what is due happen, and goes on', async () => {
    const engine = new Engine();
    const seen: string[] = [];
    engine.schedule(at(1), () => {
      engine.hold();
      setTimeout(() => {
        seen.push('real');
        engine.schedule(at(1), () => seen.push('from outside'));
        engine.release();
      }, 5);
    });
    engine.schedule(at(1), () => seen.push('due'));
    engine.schedule(at(2), () => seen.push('later'));
    await run(engine);
    expect(seen).toEqual(['due', 'real', 'from outside', 'later']);
    expect(() => engine.release()).toThrow(/let go more often/);
  });
});
