// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { Feature } from '../../protocols/hypercall/index.js';
import type { NativeHub } from '../native/index.js';
import type { MachineHandler } from './index.js';
import { interruptTable } from './testing/bare-metal.js';
import { CLOCK, TIME_OF_DAY } from './testing/clock-guests.js';
import { type Guest, LIMIT_MS, missing, newHub, start, wait } from './testing/guests.js';

const REAL = Feature.REAL;
const FROZEN_MS = 30;
const COUNTER = 0x110000;
const TIMER = 0x40;
const DEVICE = 0x35;
const GET = 'RING 4; mov RET(%rbx), %rax';
const UPDATE = 'RING 5';
/** Its timer is to interrupt so many nanoseconds from now. */
const REQUEST = (ns: number) => `${GET}; add $${ns}, %rax; mov %rax, REQ(%rbx); mov %rax, %r12`;
/** Tells when it comes. */
const HANDLER = `handler: push %rax; push %rdx; ${GET}; TELL; pop %rdx; pop %rax; iretq`;
const ACKNOWLEDGE = 'mov $0xd0000064, %edx; movl $1, (%rdx); PUT 0x20, 0x20';
const DEVICE_HANDLER = `handler: push %rax; push %rdx; ${ACKNOWLEDGE}; TELLS $7; pop %rdx; pop %rax; iretq`;
const SPIN = `1: incq ${COUNTER}; jmp 1b`;
const SLEEP = '1: hlt; jmp 1b';
/** A timer every 70 us, which is counted. */
const TIMERS = (then: string) => `${interruptTable(TIMER)} ${REQUEST(70_000)}; ${UPDATE}; sti; ${then}
  handler: push %rax; push %rdx; incq ${COUNTER}; ${REQUEST(70_000)}; ${UPDATE}; pop %rdx; pop %rax; iretq`;
/** Guests that are frozen and let go at moments that differ, and how often that happens to all of them together. */
const STARTS = 10;
const CHANGES = 1000;
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** A guest in real time, frozen, and what it tells. */
function build(hub: NativeHub, source: string, own: Partial<MachineHandler> = {}) {
  const told: bigint[] = [];
  const platform = { clock: 'real', timeOfDay: TIME_OF_DAY, features: 0, devices: 1 } as const;
  const handler = {
    onWrite: (_address: bigint, _size: number, value: bigint) => {
      told.push(value);
    },
    ...own,
  };
  const guest = start(hub, `${CLOCK}\n${source}`, handler, 'g', platform);
  const { bytes } = guest.machine.memory;
  const counter = new BigUint64Array(bytes.buffer, bytes.byteOffset + COUNTER, 1);
  return { ...guest, told, counter };
}

/** Lets wall time pass. @returns how much did, at least, in nanoseconds */
function pass(hub: NativeHub, ms = FROZEN_MS): bigint {
  const from = process.hrtime.bigint();
  const to = from + BigInt(ms) * 1_000_000n;
  while (process.hrtime.bigint() < to) hub.poll(1);
  return process.hrtime.bigint() - from;
}

/** Up to a fifth of a millisecond of wall time, in which this thread sleeps or does not. */
function rest(choice: number): void {
  const ms = ((choice * 37) % 100) / 500;
  if (choice % 4 === 0) return;
  if (choice % 4 < 3) Atomics.wait(NOBODY, 0, 0, ms);
  else for (const end = performance.now() + ms; performance.now() < end; );
}

function endOf(hub: NativeHub, guest: Guest): string {
  wait(hub, 'the end of a guest', () => guest.ends.length > 0);
  return guest.ends[0]?.message ?? '';
}

describe.skipIf(missing !== '')(`a guest in real time${missing && ` (${missing})`}`, () => {
  test('is frozen at 0 to begin with', () => {
    const hub = newHub();
    const guest = build(hub, `START 0, ${REAL}; ${GET}; TELL; ${SPIN}`);
    pass(hub);
    expect([guest.told, guest.machine.now, guest.machine.exits]).toEqual([[], 0n, 0n]);
    guest.machine.thaw();
    wait(hub, 'a word', () => guest.told.length > 0);
  });

  test('has a clock that leaves out the time for which it is frozen', () => {
    const hub = newHub();
    const guest = build(hub, `START 0, ${REAL}; 1: ${GET}; TELL; jmp 1b`);
    const { machine, told } = guest;
    const began = process.hrtime.bigint();
    let frozen = 0n;
    for (let round = 0; round < 5; round++) {
      machine.thaw();
      const before = told.length;
      wait(hub, 'a word', () => told.length > before + 10);
      machine.freeze();
      const at = machine.now;
      frozen += pass(hub);
      expect(machine.now).toBe(at);
      expect(told.at(-1)).toBeLessThanOrEqual(at);
    }
    machine.thaw();
    const before = told.length;
    wait(hub, 'a word', () => told.length > before + 10);
    expect(told).toEqual(told.toSorted((a, b) => Number(a - b)));
    expect(told.at(-1)).toBeLessThanOrEqual(process.hrtime.bigint() - began - frozen);
  });

  test('does not run while it is frozen', () => {
    const hub = newHub();
    const { machine, counter } = build(hub, `START 0, ${REAL}; ${SPIN}`);
    for (let round = 0; round < 5; round++) {
      const before = Atomics.load(counter, 0);
      machine.thaw();
      wait(hub, 'a guest that runs', () => Atomics.load(counter, 0) !== before);
      machine.freeze();
      const at = Atomics.load(counter, 0);
      pass(hub);
      expect(Atomics.load(counter, 0)).toBe(at);
    }
  });

  test('takes a second freeze, or a second letting go, for nothing', () => {
    const hub = newHub();
    const { machine, counter } = build(hub, `START 0, ${REAL}; ${SPIN}`);
    machine.freeze();
    machine.thaw();
    machine.thaw();
    wait(hub, 'a guest that runs', () => Atomics.load(counter, 0) > 0n);
    machine.freeze();
    const { now } = machine;
    machine.freeze();
    expect(machine.now).toBe(now);
  });

  test('that is frozen while somebody looks at what it does goes on when it is let go', () => {
    const hub = newHub();
    const guest = build(hub, `START 0, ${REAL}; TELLS $1; TELLS $2; ${SPIN}`, {
      onWrite: (_address, _size, value) => {
        guest.told.push(value);
        if (value === 1n) guest.machine.freeze();
      },
    });
    guest.machine.thaw();
    wait(hub, 'its first word', () => guest.told.length > 0);
    pass(hub);
    expect(guest.told).toEqual([1n]);
    guest.machine.thaw();
    wait(hub, 'its second word', () => guest.told.length > 1);
  });

  test.each([
    ['sleeps', SLEEP],
    ['runs', `${UPDATE}; ${SPIN}`],
  ])('that %s has its timer when it is due, and not while it is frozen', (_, then) => {
    const hub = newHub();
    const { machine, told } = build(
      hub,
      `${interruptTable(TIMER)}
       START ${TIMER}, ${REAL}; ${REQUEST(2_000_000)}; TELLS %r12; sti; ${then}; ${HANDLER}`,
    );
    machine.thaw();
    wait(hub, 'the request', () => told.length > 0);
    machine.freeze();
    const { now } = machine;
    pass(hub);
    // It may have come already, but not from now on.
    const words = told.length;
    pass(hub);
    expect(told.length).toBe(words);
    machine.thaw();
    wait(hub, 'the interrupt', () => told.length > 1);
    const [request, came] = told as [bigint, bigint];
    expect(came).toBeGreaterThanOrEqual(request);
    expect(machine.now).toBeGreaterThan(now);
  });

  test('has one timer after another', () => {
    const hub = newHub();
    const { machine, told } = build(
      hub,
      `${interruptTable(TIMER)}
       START ${TIMER}, ${REAL}; ${REQUEST(100_000)}; sti; ${SLEEP}
       handler: push %rax; push %rdx; ${GET}; cmp %r12, %rax; jb 2f; TELL; 2: ${REQUEST(100_000)}; pop %rdx; pop %rax; iretq`,
    );
    for (let round = 1; round <= 20; round++) {
      machine.thaw();
      wait(hub, 'timers', () => told.length >= round * 5);
      machine.freeze();
    }
    expect(told).toEqual(told.toSorted((a, b) => Number(a - b)));
  });

  test.each([
    ['sleeps', SLEEP],
    ['runs', SPIN],
  ])('that %s takes the interrupts of its devices at once, and those of a freeze behind it', (_, then) => {
    const hub = newHub();
    const { machine, told } = build(
      hub,
      `${interruptTable(DEVICE)}
       START 0, ${REAL}; PICS; TELLS $1; sti; ${then}; ${DEVICE_HANDLER}`,
    );
    machine.thaw();
    wait(hub, 'a guest that is up', () => told.length > 0);
    for (let count = 2; count < 20; count++) {
      machine.interruptVirtio(0, 1);
      wait(hub, 'an interrupt', () => told.length >= count);
    }
    machine.freeze();
    pass(hub);
    const words = told.length;
    machine.interruptVirtio(0, 1);
    pass(hub);
    expect(told.length).toBe(words);
    machine.thaw();
    wait(hub, 'an interrupt', () => told.length > words);
    expect(() => machine.interruptVirtio(1, 1)).toThrow(/virtio device 1/);
  });

  test.each([
    ['spins', `1: incq ${COUNTER}; jmp 1b`],
    ['leaves for JavaScript all the time', `1: incq ${COUNTER}; TELLS ${COUNTER}; jmp 1b`],
    ['leaves for C++ all the time', `1: incq ${COUNTER}; out %al, $0x80; jmp 1b`],
    ['sleeps from timer to timer', TIMERS(SLEEP)],
    ['has timers beside its work', TIMERS('1: out %al, $0x80; jmp 1b')],
  ])('that %s may be frozen and let go at any moment, also while it begins', (_, source) => {
    for (let round = 0; round < STARTS; round++) {
      const hub = newHub();
      const { machine, counter, ends } = build(hub, `START ${TIMER}, ${REAL}; ${source}`);
      for (let times = 0; times < CHANGES / STARTS; times++) {
        machine.thaw();
        rest(round + times);
        if (times % 3 === 0) hub.poll(0);
        if (times % 5 === 0) machine.interruptVirtio(0, 1);
        machine.freeze();
        const at = Atomics.load(counter, 0);
        rest(round + 7 * times);
        expect(Atomics.load(counter, 0)).toBe(at);
      }
      machine.thaw();
      const before = Atomics.load(counter, 0);
      const end = performance.now() + LIMIT_MS;
      while (Atomics.load(counter, 0) < before + 3n && performance.now() < end) hub.poll(1);
      expect([ends, Atomics.load(counter, 0) >= before + 3n]).toEqual([[], true]);
      machine.stop();
    }
  });

  test('need not wait for an instant, be it past or to come', () => {
    const hub = newHub();
    const { machine, told } = build(
      hub,
      `START 0, ${REAL}; RING 16, $0; TELLS RET(%rbx); movabs $1 << 62, %rcx; RING 16, %rcx; TELLS RET(%rbx); ${SPIN}`,
    );
    machine.thaw();
    wait(hub, 'two words', () => told.length > 1);
    expect(told[1]).toBeGreaterThanOrEqual(told[0] as bigint);
    expect(told[1]).toBeLessThanOrEqual(machine.now);
  });

  test.each([
    ['does not know of it', 'START; 1: jmp 1b', /does not know of real time/],
    [
      'sets its clock',
      `START 0, ${REAL}; movabs $1 << 62, %rax; mov %rax, NOW(%rbx); ${UPDATE}`,
      /its clock is at/,
    ],
    ['halts for ever', `START 0, ${REAL}; cli; hlt`, /halts for ever/],
    ['wants to wait beyond time', `START 0, ${REAL}; RING 16, $-1`, /ADVANCE to/],
  ])('that %s ends', (_, source, message) => {
    const hub = newHub();
    const guest = build(hub, source);
    guest.machine.thaw();
    expect(endOf(hub, guest)).toMatch(message);
  });

  test.each([
    ['frozen', false],
    ['running', true],
  ])('can be stopped while it is %s', (_, runs) => {
    const hub = newHub();
    const { machine, told } = build(hub, `START 0, ${REAL}; TELLS $1; sti; ${SLEEP}`);
    machine.thaw();
    wait(hub, 'a guest that is up', () => told.length > 0);
    if (!runs) machine.freeze();
    machine.stop();
    machine.freeze();
    machine.thaw();
  });
});
