// SPDX-License-Identifier: MIT
import { Process } from './process.js';
import type { Wait } from './wait.js';
import type { Waiter } from './waiter.js';

/** What can be waited for together with others; a function is begun as a process of its own. */
export type Contender<T> = PromiseLike<T> | (() => T | PromiseLike<T>);
export type Contenders = { readonly [key: string]: Contender<unknown> } | readonly Contender<unknown>[];
export type Outcome<C> = C extends PromiseLike<infer T> ? T : C extends () => infer R ? Awaited<R> : never;
/** Which came first, with its value. */
export type First<C extends Contenders> = C extends readonly unknown[]
  ? { readonly key: number; readonly value: Outcome<C[number]> }
  : { [K in keyof C]: { readonly key: K; readonly value: Outcome<C[K]> } }[keyof C];
export type Outcomes<C extends Contenders> = { -readonly [K in keyof C]: Outcome<C[K]> };

interface Party {
  readonly key: string | number;
  readonly promise: PromiseLike<unknown>;
  cancel(): void;
}

type Begin = (body: () => unknown) => Process<unknown>;

/** Makes a party of each contender. What it waits for is found among what its owner waits for just now. */
function parties(waiter: Waiter, begin: Begin, contenders: Contenders): Party[] {
  const list = Array.isArray(contenders);
  return Object.entries(contenders).map(([name, contender]) => {
    const key = list ? Number(name) : name;
    const source = typeof contender === 'function' ? begin(contender) : (contender as PromiseLike<unknown>);
    if (source instanceof Promise) {
      let wait: Wait<unknown> | undefined = waiter.owner.last;
      while (wait !== undefined && wait.promise !== source) wait = wait.earlier;
      return { key, promise: source, cancel: () => wait?.abandon() };
    }
    const { last } = waiter.owner;
    const promise = source.then((value) => value);
    const wait = waiter.owner.last === last ? undefined : waiter.owner.last;
    const cancel = () => {
      wait?.abandon();
      if (source instanceof Process) source.cancel('another was first');
    };
    return { key, promise, cancel };
  });
}

/** What comes first, be it a value or an error; the others are cancelled. */
export function any<C extends Contenders>(waiter: Waiter, begin: Begin, contenders: C): Promise<First<C>> {
  const all = parties(waiter, begin, contenders);
  return Promise.race(all.map((party) => awaitContender(party, all))) as Promise<First<C>>;
}

/** The values of all, or the first error; then the others are cancelled. */
export async function awaitAll<C extends Contenders>(
  waiter: Waiter,
  begin: Begin,
  contenders: C,
): Promise<Outcomes<C>> {
  const entries = parties(waiter, begin, contenders);
  const values = await Promise.all(entries.map((party) => awaitMember(party, entries)));
  if (Array.isArray(contenders)) return values as unknown as Outcomes<C>;
  return Object.fromEntries(entries.map(({ key }, at) => [key, values[at]])) as Outcomes<C>;
}

// These are async functions, and not callbacks, so that the stack of what never happens leads through them.

async function awaitContender(party: Party, all: readonly Party[]): Promise<unknown> {
  try {
    const value = await party.promise;
    return { key: party.key, value };
  } finally {
    // With its own: who waits for it may have been cancelled, and then the process it began is to end, too.
    for (const each of all) each.cancel();
  }
}

async function awaitMember(party: Party, all: readonly Party[]): Promise<unknown> {
  try {
    return await party.promise;
  } catch (error) {
    for (const each of all) each.cancel();
    throw error;
  }
}
