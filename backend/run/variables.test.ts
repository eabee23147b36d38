// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Feature, Op, ResultError } from '../../protocols/hypercall/index.js';
import { duration } from '../calendar/index.js';
import { numbers } from '../calendar/testing/model.js';
import type { SharedSpec } from '../topology/model.js';
import type { Method } from '../write-update/index.js';
import { type Act, MEMORY, PAGE, type SharingNode, SharingWorld } from './testing/sharing-world.js';
import { MAX_UNDER_WAY } from './variables.js';

const ADDRESS = 0x100;

function shared(method: Method, latency: bigint, between = ['a', 'b', 'c']): SharedSpec {
  return { name: 'jiffies', variable: 1, between, method, latency: duration(latency) };
}

const registers = (size = 8, address = ADDRESS, at = 0n): Act => ({
  at,
  act: (guest) => guest.register(address, size, 1),
});

/** As a guest does: local first, it stores by itself. */
const changes =
  (method: Method) =>
  (at: bigint, value: bigint, size = 8): Act => ({
    at,
    act: (guest) => {
      if (method === 'local-first') {
        for (let place = 0; place < size; place++) {
          guest.memory[ADDRESS + place] = Number((value >> BigInt(8 * place)) & 0xffn);
        }
      }
      guest.changed(1, value);
    },
  });

describe.each(['ordered', 'local-first'] as const)('%s', (method) => {
  const change = changes(method);
  const life = fc
    .array(
      fc.record({
        at: fc.bigInt({ min: 1n, max: 400n }),
        value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      }),
      { maxLength: 12 },
    )
    .map((made) => made.sort((x, y) => Number(x.at - y.at)));

  test('the trace is the same, serial and parallel; an update is stored everywhere at one instant; all agree', () => {
    fc.assert(
      fc.property(
        fc.tuple(life, life, life, life),
        fc.constantFrom(0n, 1n, 7n, 50n),
        fc.nat(),
        (lives, latency, seed) => {
          const scene = {
            shared: [shared(method, latency, ['a', 'b', 'c', 'd'])],
            scripts: lives.map((made) => [registers(), ...made.map(({ at, value }) => change(at, value))]),
          };
          const serial = new SharingWorld(scene, 1);
          const trace = serial.run();
          for (const jobs of [2, 4]) {
            const parallel = new SharingWorld(scene, jobs);
            expect(parallel.run(numbers(seed + jobs))).toBe(trace);
          }
          expect(serial.nodes.flatMap(({ errors }) => errors)).toEqual([]);
          const made = lives.flat().length;
          expect(serial.changes.length).toBe(made);
          if (method === 'ordered') {
            expect(serial.seen.length).toBe(4 * made);
            for (const { at, sequence, value } of serial.seen) {
              const same = serial.seen.filter((each) => each.sequence === sequence);
              expect(same.map((each) => [each.at, each.value])).toEqual(Array(4).fill([at, value]));
            }
          }
          for (const { at, origin, value } of serial.seen) {
            if (method === 'local-first' && serial.changes.some((each) => each.at === at)) continue;
            const told = serial.changes.some(
              (each) => each.at + latency === at && each.node === origin && each.value === value,
            );
            expect(told).toBe(true);
          }
          const values = serial.nodes.map((node) => node.value(ADDRESS, 8));
          expect(new Set(values).size).toBe(1);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('without latency it is stored everywhere before the change returns', () => {
    const before: bigint[][] = [];
    const world: SharingWorld = new SharingWorld(
      {
        shared: [shared(method, 0n)],
        scripts: [
          [
            registers(),
            change(5n, 9n),
            { at: 5n, act: () => before.push(world.nodes.map((node) => node.value(ADDRESS, 8))) },
          ],
          [registers()],
          [registers()],
        ],
      },
      1,
    );
    world.run();
    expect(before).toEqual([[9n, 9n, 9n]]);
    expect(world.variables.counts('jiffies')).toEqual({ changes: 1, stores: method === 'ordered' ? 3 : 2 });
  });

  test('with latency the sender goes on first, and has its own value then as its method says', () => {
    const between: bigint[] = [];
    const look = (at: bigint): Act => ({ at, act: (guest) => between.push(guest.value(ADDRESS, 8)) });
    const world = new SharingWorld(
      {
        shared: [shared(method, 10n)],
        scripts: [[registers(), change(5n, 9n), look(14n), look(16n)], [registers()], [registers()]],
      },
      2,
    );
    world.run();
    expect(between).toEqual(method === 'ordered' ? [0n, 9n] : [9n, 9n]);
    expect(world.seen.every(({ at }) => at === 15n)).toBe(true);
  });

  test('who registers late gets the value that there is, at once; who moves it gets it at the new place', () => {
    const world = new SharingWorld(
      {
        shared: [shared(method, 10n)],
        scripts: [
          [registers(), change(5n, 9n)],
          [registers(8, ADDRESS, 100n), registers(8, 0x200, 200n)],
          [registers(8, ADDRESS, 7n)],
        ],
      },
      2,
    );
    world.run();
    expect(world.seen.filter(({ node }) => node === 1).map(({ at, value }) => [at, value])).toEqual([
      [100n, 9n],
      [200n, 9n],
    ]);
    expect(world.nodes[1]?.value(0x200, 8)).toBe(9n);
    expect(world.nodes[2]?.value(ADDRESS, 8)).toBe(9n);
  });

  test('a guest that dies: what it has sent stands, nothing is stored in it any more', () => {
    const world: SharingWorld = new SharingWorld(
      {
        shared: [shared(method, 10n)],
        scripts: [
          [registers(), change(5n, 9n), { at: 6n, act: (guest) => guest.ring(Op.REGISTER, 0, 9, 1) }],
          [registers(), change(20n, 10n)],
          [registers()],
        ],
      },
      2,
    );
    world.run();
    expect(world.nodes[0]?.errors[0]?.message).toBe('expected a size from 1 to 8, found 9');
    expect(world.seen.filter(({ node }) => node === 0)).toEqual([]);
    expect(world.nodes[2]?.value(ADDRESS, 8)).toBe(10n);
    expect(world.seen.filter(({ node }) => node === 2).map(({ value }) => value)).toEqual([9n, 10n]);
  });

  test('features', () => {
    const world = new SharingWorld({ shared: [shared(method, 1n, ['a', 'b'])], scripts: [[], [], []] }, 1);
    const bits = Feature.WRITE_UPDATE | (method === 'ordered' ? Feature.ORDERED : 0);
    expect([0, 1, 2].map((node) => world.variables.features(node))).toEqual([bits, bits, 0]);
  });
});

test('two variables with latencies of their own', () => {
  const other: SharedSpec = { ...shared('ordered', 3n, ['b', 'c']), name: 'count', variable: 7 };
  const scripts: Act[][] = [
    [registers(), { at: 5n, act: (guest) => guest.changed(1, 1n) }],
    [registers(), { at: 0n, act: (guest) => guest.register(0x200, 2, 7) }],
    [
      registers(),
      { at: 0n, act: (guest) => guest.register(0x206, 2, 7) },
      { at: 5n, act: (guest) => guest.changed(7, 0xabcdn) },
    ],
  ];
  const world = new SharingWorld({ shared: [shared('ordered', 9n), other], scripts }, 3);
  world.run();
  expect(world.nodes.flatMap(({ errors }) => errors)).toEqual([]);
  expect(world.nodes[1]?.value(0x200, 2)).toBe(0xabcdn);
  expect(world.nodes[2]?.value(0x200, 8)).toBe(0xabcd_0000_0000_0000n);
  // Domains that cannot reach each other so soon run in any order.
  const byTime = world.seen.toSorted((x, y) => Number(x.at - y.at) || x.node - y.node);
  expect(byTime.map(({ at, node, shared: place }) => [at, node, place])).toEqual([
    [8n, 1, 1],
    [8n, 2, 1],
    [14n, 0, 0],
    [14n, 1, 0],
    [14n, 2, 0],
  ]);
});

describe.each([0n, 5n])('a guest that may not, with a latency of %s', (latency) => {
  const run = (act: (guest: SharingNode) => void, own = registers(4)) => {
    const world = new SharingWorld(
      {
        shared: [shared('ordered', latency)],
        scripts: [[own, { at: 20n, act }], [registers(4), changes('ordered')(50n, 6n)], [registers(4)]],
      },
      2,
    );
    world.run();
    // The others are as they were, and go on.
    expect(world.nodes.slice(1).flatMap(({ errors }) => errors)).toEqual([]);
    expect(world.nodes.slice(1).map((node) => node.value(ADDRESS, 8))).toEqual([6n, 6n]);
    return world;
  };

  test.each<[string, (guest: SharingNode) => void, string]>([
    ['a size of 9', (guest) => guest.register(0x200, 9, 1), 'expected a size from 1 to 8, found 9'],
    ['a size of 0', (guest) => guest.register(0x200, 0, 1), 'expected a size from 1 to 8, found 0'],
    [
      'an address outside memory',
      (guest) => guest.register(MEMORY, 1, 1),
      'of 8192 bytes of memory, found 0x2000',
    ],
    [
      'an address beyond all',
      (guest) => guest.ring(Op.REGISTER, (1n << 64n) - 1n, 8, 1),
      'found 0xffffffffffffffff and 8 bytes',
    ],
    ['two words', (guest) => guest.register(0x105, 4, 1), 'in one aligned word'],
    [
      'a place in the page',
      (guest) => guest.register(PAGE + 8, 8, 1),
      'outside the page at 0x1000, found 0x1008',
    ],
    ['variable 0', (guest) => guest.register(0x200, 4, 0), 'expected a variable from 1 to 65535, found 0'],
    ['variable 65536', (guest) => guest.register(0x200, 4, 65_536), 'found 65536'],
    ['another size than before', (guest) => guest.register(0x200, 8, 1), 'expected a variable of 4 bytes'],
    ['a change of variable 0', (guest) => guest.changed(0, 1n), 'expected a variable from 1 to 65535'],
    [
      'a change of one that is not shared',
      (guest) => guest.changed(9, 1n),
      'expected a registered variable, found 9',
    ],
    [
      'a value that does not fit',
      (guest) => guest.changed(1, 1n << 32n),
      'variable jiffies: expected a value of 4',
    ],
    [
      'changes for ever at one instant',
      (guest) => {
        while (guest.errors.length === 0) guest.changed(1, 1n);
      },
      `expected at most ${MAX_UNDER_WAY} changes of jiffies at once or under way, found ${MAX_UNDER_WAY + 1}`,
    ],
  ])('%s ends it', (_, act, text) => {
    const world = run(act);
    expect(world.nodes[0]?.errors.map(({ code }) => code)).toEqual(['PARTICIPANT']);
    expect(world.nodes[0]?.errors[0]?.message).toContain(text);
  });

  test('a change of what it has not registered ends it', () => {
    const world = run((guest) => guest.changed(1, 1n), { at: 0n, act: () => undefined });
    expect(world.nodes[0]?.errors[0]?.message).toBe('expected a registered variable, found 1');
  });

  test('a size that is not that of the others ends it when the middle hears of it', () => {
    const world = run(() => undefined, registers(8, ADDRESS, 1n));
    expect(world.nodes[0]?.errors[0]?.message).toBe(
      'variable jiffies: expected variable 1 of 4 bytes, 1 to 8, found one of 8',
    );
  });

  test('what is not shared with it, and what is no business of variables, is an error only', () => {
    const world = run((guest) => {
      guest.register(0x200, 8, 9);
      guest.ring(Op.GET, 0, 0, 0);
      guest.ring(Op.WARPED, 0, 0, 0);
    });
    expect(world.nodes[0]?.results.slice(1)).toEqual(Array(3).fill(-BigInt(ResultError.FEATURE)));
    expect(world.nodes[0]?.errors).toEqual([]);
  });
});

test('of two changes that reach the middle at one instant, that of the later in the list of the topology stands', () => {
  for (const between of [
    ['a', 'b', 'c'],
    ['b', 'c', 'a'],
  ]) {
    const change = changes('ordered');
    const scripts = [[registers(), change(5n, 1n)], [registers(), change(5n, 2n)], [registers()]];
    const world = new SharingWorld({ shared: [shared('ordered', 3n, between)], scripts }, 2);
    world.run();
    const value = between[0] === 'a' ? 2n : 1n;
    expect(world.nodes.map((node) => node.value(ADDRESS, 8))).toEqual([value, value, value]);
  }
});

test('more changes than may be under way end a guest, and as many do not', () => {
  const many = (count: number): Act[] =>
    Array.from({ length: count }, (_, place) => ({
      at: BigInt(1 + place),
      act: (guest: SharingNode) => guest.changed(1, BigInt(place)),
    }));
  const run = (count: number, latency = 1_000_000n) => {
    const world = new SharingWorld(
      {
        shared: [shared('ordered', latency)],
        scripts: [[registers(), ...many(count)], [registers()], []],
      },
      2,
    );
    world.run();
    return world;
  };
  expect(run(MAX_UNDER_WAY).nodes[0]?.errors).toEqual([]);
  // The first has arrived as the last one goes.
  expect(run(MAX_UNDER_WAY + 1, BigInt(MAX_UNDER_WAY)).nodes[0]?.errors).toEqual([]);
  const world = run(MAX_UNDER_WAY + 1);
  expect(world.nodes[0]?.errors[0]?.message).toContain(`found ${MAX_UNDER_WAY + 1}`);
  expect(world.nodes[1]?.value(ADDRESS, 8)).toBe(BigInt(MAX_UNDER_WAY - 1));
});

test('a value that does not fit comes to a guest before the middle knows of its size: that guest ends', () => {
  const world = new SharingWorld(
    {
      shared: [shared('ordered', 5n)],
      scripts: [
        [registers(4, ADDRESS, 3n)],
        [registers(), changes('ordered')(1n, 1n << 40n), changes('ordered')(20n, 2n)],
        [registers()],
      ],
    },
    3,
  );
  world.run();
  expect(world.nodes.map(({ errors }) => errors.map(({ message }) => message))).toEqual([
    [`variable jiffies: expected a value of 4 bytes, found ${1n << 40n}`],
    [],
    [],
  ]);
  expect(world.nodes.map((node) => node.value(ADDRESS, 8))).toEqual([0n, 2n, 2n]);
});

test('a node that shares nothing gets errors', () => {
  const world = new SharingWorld(
    { shared: [shared('ordered', 1n, ['b', 'c'])], scripts: [[registers()], [], []] },
    1,
  );
  world.run();
  expect(world.nodes[0]?.results).toEqual([-BigInt(ResultError.FEATURE)]);
});
