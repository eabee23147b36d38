// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BoardEvent } from '../../protocols/board/index.js';
import type { LiveGuest } from '../participants/live-guest.js';
import { BoardTimes } from './board-times.js';
import { LiveNode } from './live-node.js';
import type { RunNode } from './node.js';

/** What the wall clock shows; calls of the guest take 10. */
let wall = 0n;
beforeEach(() => {
  wall = 1_000n;
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => wall);
});
afterEach(() => vi.restoreAllMocks());

function build() {
  const guest = { now: 0n, closed: false, calls: [] as string[] };
  const call = (name: string) => () => {
    wall += 10n;
    guest.calls.push(name);
  };
  const live = Object.assign(guest, {
    start: call('start'),
    freeze: call('freeze'),
    thaw: call('thaw'),
    close: call('close'),
  });
  const node = { spec: { name: 'l', board: { pause: 'ice' } } } as unknown as RunNode;
  const events: BoardEvent[] = [];
  const board = new LiveNode(node, 0, live as unknown as LiveGuest, {
    event: (event) => events.push(event),
    failed: () => undefined,
  });
  return { board, guest, events };
}

it('freezes and lets go by its own pin, once for each edge', () => {
  const { board, guest } = build();
  for (const level of [1, 0, 0, 1, 1, 0] as const) {
    board.sense('other', level);
    board.sense('ice', level);
  }
  expect(guest.calls).toEqual(['thaw', 'freeze', 'thaw']);
  board.close();
  board.sense('ice', 1);
  expect([guest.calls.at(-1), board.isGone]).toEqual(['close', true]);
});

it('tells of its freezes as a board does: its own time agrees, and the freeze before the run does not count', async () => {
  const { board, guest, events } = build();
  const times = new BoardTimes(1);
  const { time, pauses, frozenNs } = await board.begin();
  times.begin(0, time.monotonicNs - time.frozenNs, pauses, frozenNs);
  wall += 5_000n;
  board.sense('ice', 0);
  for (let round = 1n; round <= 3n; round++) {
    wall += 100n;
    guest.now += 100n;
    times.freeze(guest.now, 0n);
    board.sense('ice', 1);
    wall += 400n;
    board.sense('ice', 0);
  }
  const corrections = events.flatMap((event) => {
    if (event.type === 'paused') times.paused(0, event);
    return event.type === 'resumed' ? times.resumed(0, event) : [];
  });
  // The clock that expected 100, 200 and 300 was right each time.
  expect(corrections).toEqual([0n, 0n, 0n]);
  expect(times.of(0)).toMatchObject({
    freezes: 3,
    frozenNs: 1200n,
    pauseNs: { mean: 10 },
    resumeNs: { mean: 10 },
  });
});
