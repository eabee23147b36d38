// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Update } from '../../protocols/write-update/index.js';
import { instant } from '../calendar/time.js';
import { type Method, supersedes } from './order.js';
import { type Guest, World } from './testing/world.js';

const VARIABLES = [1, 2];

type Step =
  | { readonly do: 'deliver' | 'lose' | 'repeat' | 'die' | 'leave' | 'resend'; readonly which: number }
  | { readonly do: 'join'; readonly variables: readonly number[] }
  | { readonly do: 'register'; readonly which: number; readonly variable: number }
  | {
      readonly do: 'change';
      readonly which: number;
      readonly variable: number;
      readonly value: bigint;
      readonly later: bigint;
    };

const which = fc.nat(1000);
const variable = fc.constantFrom(...VARIABLES);
const step: fc.Arbitrary<Step> = fc.oneof(
  // Mostly what was sent first: of what comes out of turn, little counts.
  { weight: 20, arbitrary: fc.constant({ do: 'deliver' as const, which: 0 }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), which }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      which,
      variable,
      value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      later: fc.bigInt({ min: 0n, max: 2n }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'repeat' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), which, variable }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'leave' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('join' as const), variables: fc.subarray(VARIABLES) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resend' as const), which }) },
);
const steps = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });

function take(world: World, step: Step): void {
  const { living, flights } = world;
  const pick = <T>(list: readonly T[], place: number) => list[place % Math.max(list.length, 1)];
  const guest = 'which' in step ? pick(living, step.which) : undefined;
  const place = 'which' in step ? step.which % Math.max(flights.length, 1) : 0;
  const flight = flights[place];
  switch (step.do) {
    case 'deliver':
      return world.deliver(place);
    case 'lose':
      return void flights.splice(place, 1);
    case 'repeat':
      return void (flight && flights.push(flight));
    case 'resend':
      return world.resend();
    case 'join':
      return void world.join(step.variables);
    case 'die':
      return guest && world.die(guest);
    case 'leave':
      return guest && world.leave(guest);
    case 'register':
      return guest?.member.register(step.variable, 8);
    case 'change':
      if (!guest) return;
      guest.now += step.later;
      guest.member.register(step.variable, 8);
      return guest.change(step.variable, step.value);
  }
}

/** The memory after the updates of the hub's order up to `sequence`. */
function prefix(world: World, sequence: number): Map<number, bigint> {
  const memory = new Map<number, bigint>();
  for (const at of [...world.order.keys()].toSorted((a, b) => a - b)) {
    const update = world.order.get(at) as Update;
    if (at <= sequence) memory.set(update.variable, update.value);
  }
  return memory;
}

/** What `guest` sees is what some first part of the one order gives. */
function expectPrefix(world: World, guest: Guest): void {
  const seen = Math.max(0, ...guest.stores.map(({ sequence }) => sequence));
  const expected = prefix(world, seen);
  for (const [variable, value] of guest.memory) expect(value).toBe(expected.get(variable));
}

/** Ordered: each store supersedes the one before it in its variable. */
function expectForward(guest: Guest): void {
  for (const variable of VARIABLES) {
    const stores = guest.stores.filter((store) => store.variable === variable);
    for (const [place, store] of stores.entries()) {
      const before = stores[place - 1];
      if (before) expect(supersedes('ordered', store, before)).toBe(true);
    }
  }
}

/** What `guest` sees is the latest change that it ever knew of. */
function expectLatest({ stores, memory }: Guest): void {
  for (const [variable, { value }] of winners('local-first', stores))
    expect(memory.get(variable)).toBe(value);
}

/** Of each variable, the update that stands in the end. */
function winners(method: Method, updates: Iterable<Update>): Map<number, Update> {
  const standing = new Map<number, Update>();
  for (const update of updates) {
    const present = standing.get(update.variable);
    if (!present || supersedes(method, update, present)) standing.set(update.variable, update);
  }
  return standing;
}

function expectAgreement(world: World, standing: ReadonlyMap<number, Update>): void {
  for (const { member, memory } of world.living) {
    expect(member.state).toBe('joined');
    for (const [variable, value] of memory) expect(value).toBe(standing.get(variable)?.value);
  }
}

function registerAll(world: World): void {
  for (const { member } of world.living) for (const variable of VARIABLES) member.register(variable, 8);
}

describe('over a carrier that delays, loses and repeats, with members that join, leave and die', () => {
  test('ordered: everyone sees a first part of one order, and in the end all of it', () => {
    fc.assert(
      fc.property(steps, (run) => {
        const world = new World('ordered');
        for (const one of run) {
          take(world, one);
          for (const guest of world.guests) expectPrefix(world, guest);
        }
        registerAll(world);
        world.settle();
        expect([...world.errors.values()]).toEqual([]);
        for (const guest of world.guests) expectForward(guest);
        const standing = winners('ordered', world.order.values());
        expectAgreement(world, standing);
        for (const { memory } of world.living) expect(memory.size).toBe(standing.size);

        // Each update of those who did not die is in the order, once, and in the order in which it was made.
        const order = [...world.order.values()].toSorted((a, b) => a.sequence - b.sequence);
        for (const { member, changes, isDead } of world.guests) {
          const taken = order.filter(({ origin }) => origin === member.id).map(({ change }) => change);
          const made = changes.map(({ change }) => change);
          expect(taken).toEqual(isDead ? made.slice(0, taken.length) : made);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('local first: nobody goes back, and in the end the latest change stands everywhere', () => {
    fc.assert(
      fc.property(steps, (run) => {
        const world = new World('local-first');
        for (const one of run) {
          take(world, one);
          for (const guest of world.guests) expectLatest(guest);
        }
        registerAll(world);
        world.settle();
        expect([...world.errors.values()]).toEqual([]);
        const survived = world.guests.filter(({ isDead }) => !isDead).flatMap(({ changes }) => changes);
        const standing = winners('local-first', [...survived, ...world.order.values()]);
        expectAgreement(world, standing);
        for (const { memory } of world.living) expect(memory.size).toBe(standing.size);
      }),
      { numRuns: 400 },
    );
  });
});

describe.each(['ordered', 'local-first'] as const)('%s', (method) => {
  const memories = (world: World) => world.living.map(({ memory }) => memory.get(1));

  function joined(world: World, count: number): Guest[] {
    const guests = Array.from({ length: count }, () => world.join([1]));
    world.settle();
    return guests;
  }

  test('where messages take no time, all agree when a change returns', () => {
    const values = fc.array(fc.tuple(fc.nat(3), fc.bigInt({ min: 0n, max: 9n })), { maxLength: 40 });
    fc.assert(
      fc.property(values, (changes) => {
        const world = new World(method, true);
        const guests = [1, 2, 3, 4].map(() => world.join([1]));
        for (const [now, [who, value]] of changes.entries()) {
          const guest = guests[who] as Guest;
          // Some at one instant.
          guest.now = BigInt(now >> 2);
          guest.change(1, value);
          expect(memories(world)).toEqual([value, value, value, value]);
        }
      }),
    );
  });

  test('a value is stored first by its sender or in the hub`s order', () => {
    const world = new World(method);
    const [a] = joined(world, 2);
    a?.change(1, 5n);
    expect(memories(world)).toEqual(method === 'ordered' ? [undefined, undefined] : [5n, undefined]);
    world.deliver(0);
    const receivers = world.flights.filter(({ message }) => message.body.type === 'update');
    expect(receivers.map(({ message }) => message.member)).toEqual(method === 'ordered' ? [1, 2] : [2]);
    world.settle();
    expect(memories(world)).toEqual([5n, 5n]);
    expect(a?.stores.length).toBe(1);
  });

  test('an acknowledgement that is lost is given again', () => {
    const world = new World(method);
    const [a] = joined(world, 2);
    a?.change(1, 5n);
    while (world.flights.length > 0) {
      const acknowledgement = world.flights[0]?.message.body.type === 'acknowledge';
      if (acknowledgement) world.flights.shift();
      else world.deliver(0);
    }
    world.resend();
    expect(world.flights.length).toBeGreaterThan(0);
    world.settle();
    expect(memories(world)).toEqual([5n, 5n]);
    for (const { stores } of world.guests) expect(stores.length).toBe(1);
  });

  test('of two changes at one instant, one stands everywhere', () => {
    const world = new World(method);
    const [a, b] = joined(world, 3);
    b?.change(1, 2n);
    a?.change(1, 1n);
    world.settle();
    const value = method === 'ordered' ? 1n : 2n;
    expect(memories(world)).toEqual([value, value, value]);
  });

  test('who joins late gets what there is, then the updates', () => {
    const world = new World(method);
    const [a] = joined(world, 2);
    a?.change(1, 1n);
    world.settle();
    const late = world.join([1, 2]);
    a?.change(1, 2n);
    world.settle();
    expect(memories(world)).toEqual([2n, 2n, 2n]);
    expect(late.stores.map(({ value }) => value)).toEqual([1n, 2n]);
    expect(late.memory.has(2)).toBe(false);
    // Who registers late, too.
    a?.member.register(2, 8);
    a?.change(2, 7n);
    world.settle();
    expect(late.memory.get(2)).toBe(7n);
    world.guests[1]?.member.register(2, 8);
    expect(world.guests[1]?.memory.get(2)).toBe(7n);
  });

  test('what the hub has got from a member that died reaches all, what it has not, nobody', () => {
    const world = new World(method);
    const [a] = joined(world, 3);
    a?.change(1, 1n);
    world.deliver(0);
    a?.change(1, 2n);
    world.die(a as Guest);
    world.settle();
    expect(memories(world)).toEqual([1n, 1n]);
    expect(world.hub.members()).toEqual([2, 3]);
  });

  test('who has left or died does not come back under its number', () => {
    const world = new World(method);
    const [a, b, c] = joined(world, 3);
    world.leave(a as Guest);
    a?.member.change(1, 9n, 1n, instant(0n));
    world.settle();
    expect(a?.member.state).toBe('left');
    world.hub.remove(2);
    b?.change(1, 8n);
    world.settle();
    expect(b?.member.state).toBe('left');
    expect(c?.memory.size).toBe(0);
    expect(world.hub.members()).toEqual([3]);
  });
});
