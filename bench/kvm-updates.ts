// SPDX-License-Identifier: MIT
import type { Method } from '../backend/write-update/index.js';
import { SharingGuests, VARIABLE } from '../host/kvm/testing/write-update-guests.js';
import { NativeHub } from '../host/native/index.js';

/** How fast updates go between bare-metal guests of one controller. */
export interface Rate {
  readonly method: Method;
  readonly guests: number;
  /** Updates that one guest makes one after another, each stored in all that are to have it; per second of wall time. */
  readonly perSecond: number;
  /** From the arrival of an update at the controller until all have it, in microseconds of wall time. */
  readonly delayUs: { readonly mean: number; readonly p99: number };
}

const LIMIT_MS = 60_000;
const REST = 'sti\n7: hlt\njmp 7b';

/**
 * Measures one group. The guests that do not change the variable stand still, as guests mostly do.
 *
 * @throws Error where the guests do not do what they should
 */
function measureRate(method: Method, guests: number, updates: number): Rate {
  const hub = new NativeHub();
  const delays = new Float64Array(updates);
  let rung = 0;
  let count = 0;
  const group = new SharingGuests(hub, method, {
    rung: () => {
      rung = performance.now();
    },
    handled: () => {
      delays[count++] = performance.now() - rung;
    },
  });
  try {
    const sender = group.add(
      'sender',
      `SHARE VARIABLE, 8
       AWAIT 100
       mov $1, %esi
     1: mov %rsi, %rcx
       STORE mov %rcx, VARIABLE
       CHANGE
       inc %rsi
       cmp $${updates}, %rsi
       jbe 1b
       TELLS $1
       ${REST}`,
    );
    for (let other = 1; other < guests; other++) group.add(`other ${other}`, `SHARE VARIABLE, 8\n${REST}`);
    const end = performance.now() + LIMIT_MS;
    const wait = (until: () => boolean) => {
      while (!until() && performance.now() < end) hub.poll(100);
      const [death] = group.guests.flatMap(({ ends }) => ends);
      if (death) throw new Error(death.message);
      if (!until()) throw new Error(`expected ${updates} updates within ${LIMIT_MS} ms, found ${count}`);
    };
    for (const { machine } of group.guests) machine.run(0n, 1n);
    wait(() => group.guests.every((guest) => guest.waiting()));
    const begun = performance.now();
    sender.go();
    wait(() => sender.told.length === 1);
    const wallMs = performance.now() - begun;
    const last = group.guests.map(({ memory }) => Buffer.from(memory(VARIABLE, 8)).readBigUInt64LE());
    if (last.some((value) => value !== BigInt(updates))) {
      throw new Error(`expected ${updates} in every guest, found ${last.join(', ')}`);
    }
    delays.sort();
    const sum = delays.reduce((total, delay) => total + delay, 0);
    const p99 = delays[Math.floor(updates * 0.99)] as number;
    return {
      method,
      guests,
      perSecond: (1000 * updates) / wallMs,
      delayUs: { mean: (1000 * sum) / updates, p99: 1000 * p99 },
    };
  } finally {
    group.stop();
    hub.close();
  }
}

/** Both methods with 2, 4 and 8 guests. */
export function measureRates(updates: number): readonly Rate[] {
  return (['ordered', 'local-first'] as const).flatMap((method) =>
    [2, 4, 8].map((guests) => measureRate(method, guests, updates)),
  );
}
