// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda, entry } from './agenda.js';
import { type Instant, instant, NEVER } from './time.js';

/** All owners by time, each found among the followers of the ones before. */
function inOrder(agenda: Agenda<number>): number[] {
  const left = [agenda.peek()].flatMap((first) => first ?? []);
  const order: number[] = [];
  while (left.length > 0) {
    left.sort((a, b) => Number(a.at - b.at) || a.rank - b.rank);
    const first = left.shift() as (typeof left)[number];
    order.push(first.owner);
    left.push(...agenda.followers(first).flatMap((follower) => follower ?? []));
  }
  return order;
}

describe('Agenda', () => {
  it('has the earliest on top, and visits what is earlier than a limit, whatever is set and deleted', () => {
    const step = fc.record({
      owner: fc.nat(11),
      at: fc.option(fc.bigInt(0n, 20n).map(instant), { nil: undefined, freq: 4 }),
      limit: fc.bigInt(0n, 25n).map(instant),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const agenda = new Agenda<number>();
        const entries = Array.from({ length: 12 }, (_, owner) => entry(owner, owner));
        const model = new Map<number, Instant>();
        for (const { owner, at, limit } of steps) {
          const item = entries[owner] as (typeof entries)[number];
          if (at === undefined) {
            agenda.delete(item);
            model.delete(owner);
          } else {
            agenda.set(item, at);
            model.set(owner, at);
          }
          const [first] = [...model].sort(([a, x], [b, y]) => Number(x - y) || a - b);
          expect([agenda.next, agenda.peek()?.owner]).toEqual([first?.[1] ?? NEVER, first?.[0]]);
          const seen: number[] = [];
          agenda.before(
            () => limit,
            (found) => seen.push(found.owner),
          );
          expect(inOrder(agenda)).toEqual(
            [...model].sort(([a, x], [b, y]) => Number(x - y) || a - b).map(([each]) => each),
          );
          const due = [...model].filter(([, when]) => when < limit).map(([each]) => each);
          expect(seen.sort((a, b) => a - b)).toEqual(due.sort((a, b) => a - b));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
