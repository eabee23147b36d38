// SPDX-License-Identifier: MIT
import { fstatSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CAP_TIME_SHARE, Op } from '../../protocols/um-timetravel/index.js';
import { instant, NEVER } from '../calendar/index.js';
import { TIME_OF_DAY, TimeClientBench } from './testing/time-client-bench.js';

const U64_MAX = 0xffff_ffff_ffff_ffffn;

function bench(): TimeClientBench {
  const made = new TimeClientBench();
  onTestFinished(() => made.dispose());
  return made;
}

/** A client that runs, from 100 up to 200. */
function running(shares: boolean): TimeClientBench {
  const made = bench();
  made.start(shares, 0n, 50n);
  if (shares) made.request = 100n;
  else made.send(Op.REQUEST, 2, 100n);
  made.send(Op.WAIT, 3);
  made.run(100n, 200n);
  // As a kernel does.
  made.request = undefined;
  made.take();
  made.told.length = 0;
  return made;
}

/** A client that waits since 100. */
function waiting(shares: boolean): TimeClientBench {
  const made = running(shares);
  made.send(Op.WAIT, 4);
  made.take();
  made.told.length = 0;
  return made;
}

describe('START', () => {
  test('is told, and answered by the first grant', () => {
    const it = bench();
    expect(it.client.lastMessage).toBe('nothing');
    expect(it.client.wake).toBe(NEVER);
    it.send(Op.START, 41, U64_MAX);
    expect(it.told).toEqual([`started ${U64_MAX}`]);
    expect(it.take()).toEqual([]);
    expect(it.client.wake).toBe(0n);
    it.run(0n, 30n);
    expect(it.take()).toEqual(['ACK 41: 3']);
    expect(it.given).toBe(fstatSync(it.memory.descriptor).ino);
    expect(it.shared).toEqual({ currentTime: 0n, freeUntil: 30n, runningId: 3 });
    expect(it.client.lastMessage).toBe(`START (sequence 41, time ${U64_MAX})`);
    expect(it.client.messages).toBe(1);
  });

  test('of one that comes late gets memory that it will not take, and does not move the others', () => {
    const it = bench();
    it.send(Op.START, 1, 5n);
    it.client.beginAt(instant(70n));
    expect(it.shared.currentTime).toBe(0n);
    expect(it.client.wake).toBe(70n);
    it.run(70n, 90n);
    expect(it.take()).toEqual(['ACK 1: 3']);
    expect(it.given).toBe(fstatSync(it.refusal.descriptor).ino);
  });

  test('may come in parts', () => {
    const it = bench();
    const bytes = Buffer.from('01000000070000000900000000000000', 'hex');
    for (const byte of bytes) it.sendBytes(Uint8Array.of(byte));
    expect(it.told).toEqual(['started 9']);
  });
});

describe('by messages', () => {
  test('a turn: REQUEST, WAIT, FREE_UNTIL, RUN', () => {
    const it = bench();
    it.start(false, 0n, 1000n);
    expect(it.client.wake).toBe(NEVER);
    it.send(Op.REQUEST, 2, 500n);
    it.send(Op.REQUEST, 3, 300n);
    expect(it.take()).toEqual(['ACK 2: 0', 'ACK 3: 0']);
    it.send(Op.WAIT, 4);
    expect(it.take()).toEqual(['ACK 4: 0']);
    expect(it.told).toEqual(['started 5', 'requested 500', 'requested 300', 'quiet']);
    expect(it.client.wake).toBe(300n);
    it.answers = false;
    it.run(300n, 700n);
    expect(it.take()).toEqual(['FREE_UNTIL 700']);
    expect(it.client.owesAnswer).toBe(true);
    it.answer();
    expect(it.take()).toEqual(['RUN 300']);
    it.answer();
    expect(it.client.owesAnswer).toBe(false);
    expect(it.client.now).toBe(300n);
    // The request that was served is over.
    it.send(Op.WAIT, 5);
    expect(it.client.wake).toBe(NEVER);
  });

  test('it begins at 0, whenever that is', () => {
    const it = bench();
    it.start(false, 1000n, 2000n);
    it.send(Op.GET, 2);
    it.send(Op.GET_TOD, 3);
    it.send(Op.UPDATE, 4, 10n);
    it.send(Op.GET, 5);
    it.send(Op.REQUEST, 6, 500n);
    it.send(Op.WAIT, 7);
    expect(it.take()).toEqual([
      'ACK 2: 0',
      `ACK 3: ${TIME_OF_DAY + 1000n}`,
      'ACK 4: 0',
      'ACK 5: 10',
      'ACK 6: 0',
      'ACK 7: 0',
    ]);
    expect(it.told).toContain('requested 1500');
    expect(it.client.wake).toBe(1500n);
    it.run(1500n, 1800n);
    expect(it.take()).toEqual(['FREE_UNTIL 800', 'RUN 500']);
  });

  test('it sleeps for ever', () => {
    const it = running(false);
    for (const at of [NEVER, U64_MAX]) it.send(Op.REQUEST, 4, at);
    it.send(Op.WAIT, 5);
    expect(it.client.wake).toBe(NEVER);
  });

  test('a request that comes while it waits is told, and answered when the owner says so', () => {
    const it = waiting(false);
    it.held = [];
    it.send(Op.REQUEST, 5, 150n);
    expect(it.take()).toEqual([]);
    expect(it.client.wake).toBe(150n);
    for (const acknowledge of it.held) acknowledge();
    expect(it.take()).toEqual(['ACK 5: 0']);
  });

  test('GET tells the time of the domain while another runs', () => {
    const it = waiting(false);
    it.domainNow = instant(170n);
    it.send(Op.GET, 5);
    it.send(Op.GET_TOD, 6);
    expect(it.take()).toEqual(['ACK 5: 170', `ACK 6: ${TIME_OF_DAY + 170n}`]);
  });

  test('others find its time in the page, and that it does not look there', () => {
    const it = running(false);
    expect(it.shared).toEqual({ currentTime: 100n, freeUntil: 200n, runningId: 3 });
    it.send(Op.UPDATE, 4, 140n);
    expect(it.shared.currentTime).toBe(140n);
    expect(it.client.now).toBe(140n);
  });

  test('a shorter grant is told to it, and whoever asks is told when it has heard', () => {
    const it = running(false);
    it.answers = false;
    it.curtail(150n);
    it.curtail(160n);
    const settled: string[] = [];
    it.client.whenSettled(() => settled.push('first'));
    it.client.whenSettled(() => settled.push('second'));
    expect(it.take()).toEqual(['FREE_UNTIL 150']);
    expect(settled).toEqual([]);
    it.answer();
    expect(settled).toEqual(['first', 'second']);
    it.client.whenSettled(() => settled.push('third'));
    expect(settled).toEqual(['first', 'second', 'third']);
  });

  test('there is never more than one message that it has not acknowledged (T4)', () => {
    const it = running(false);
    it.answers = false;
    it.curtail(190n);
    it.curtail(180n);
    it.curtail(170n);
    it.send(Op.WAIT, 4);
    it.client.broadcast(7n);
    it.run(170n, 200n);
    const settled: string[] = [];
    it.client.whenSettled(() => settled.push('settled'));
    const seen: string[] = [];
    for (let i = 0; i < 6; i++) {
      expect(settled).toEqual([]);
      expect(it.unanswered).toHaveLength(1);
      seen.push(...it.take());
      it.answer();
    }
    expect(it.take()).toEqual([]);
    expect(settled).toEqual(['settled']);
    expect(seen).toEqual([
      'FREE_UNTIL 190',
      'ACK 4: 0',
      'FREE_UNTIL 180',
      'FREE_UNTIL 170',
      'BROADCAST 7',
      'FREE_UNTIL 200',
      'RUN 170',
    ]);
  });
});

describe('by shared memory', () => {
  test('a turn: WAIT, and a RUN that is not acknowledged', () => {
    const it = bench();
    it.start(true, 0n, 1000n);
    it.request = 300n;
    it.send(Op.WAIT, 2);
    expect(it.take()).toEqual([]);
    expect(it.told).toEqual(['started 5', 'quiet']);
    expect(it.client.wake).toBe(300n);
    it.page.runningId = 0;
    it.run(300n, 700n);
    expect(it.take()).toEqual(['RUN 300']);
    expect(it.client.owesAnswer).toBe(false);
    expect(it.shared).toEqual({ currentTime: 300n, freeUntil: 700n, runningId: 3 });
  });

  test('its time is read from the page', () => {
    const it = running(true);
    expect(it.client.now).toBe(100n);
    it.currentTime = 160n;
    expect(it.client.now).toBe(160n);
    it.currentTime = 161n;
    it.send(Op.WAIT, 4);
    expect(it.client.now).toBe(161n);
  });

  test('a shorter grant is written there', () => {
    const it = running(true);
    it.curtail(150n);
    it.curtail(170n);
    expect(it.shared.freeUntil).toBe(150n);
    expect(it.take()).toEqual([]);
  });

  test('what it asks is in the page, or comes by message while somebody runs who has none', () => {
    const it = waiting(true);
    expect(it.client.wake).toBe(NEVER);
    it.send(Op.REQUEST, 5, 180n);
    expect(it.take()).toEqual(['ACK 5: 0']);
    expect(it.client.wake).toBe(180n);
    it.request = 170n;
    expect(it.client.wake).toBe(170n);
    it.request = 190n;
    expect(it.client.wake).toBe(180n);
    it.run(180n, 200n);
    it.request = undefined;
    it.send(Op.WAIT, 6);
    expect(it.client.wake).toBe(NEVER);
  });

  test('times are those of the page, also in messages', () => {
    const it = running(true);
    it.send(Op.GET, 4);
    it.send(Op.GET_TOD, 5);
    it.send(Op.UPDATE, 6, 120n);
    it.send(Op.GET, 7);
    expect(it.take()).toEqual(['ACK 4: 100', `ACK 5: ${TIME_OF_DAY + 100n}`, 'ACK 6: 0', 'ACK 7: 120']);
    expect(it.shared.currentTime).toBe(120n);
  });

  test('RUN waits for the acknowledgement of what came before', () => {
    const it = waiting(true);
    it.answers = false;
    it.client.broadcast(9n);
    it.run(100n, 200n);
    expect(it.take()).toEqual(['BROADCAST 9']);
    it.answer();
    expect(it.take()).toEqual(['RUN 100']);
  });
});

describe.each([
  { way: 'by shared memory', shares: true },
  { way: 'by messages', shares: false },
])('$way', ({ shares }) => {
  test('time that it has reached by way of others is no longer asked for', () => {
    const it = waiting(shares);
    it.client.reach(instant(150n));
    expect(it.client.now).toBe(150n);
    expect(it.shared.currentTime).toBe(150n);
    if (shares) it.request = 120n;
    expect(it.client.wake).toBe(shares ? 150n : NEVER);
    it.client.reach(instant(140n));
    expect(it.client.now).toBe(150n);
  });

  test('an UPDATE to where it is changes nothing, also at the end of a shorter grant', () => {
    const it = running(shares);
    it.send(Op.UPDATE, 4, 130n);
    it.curtail(130n);
    it.take();
    it.send(Op.UPDATE, 5, 130n);
    expect(it.take()).toEqual(['ACK 5: 0']);
    expect(it.told).toEqual([]);
  });

  test('its broadcast is told before it is answered, and answered when it has heard of what comes of it', () => {
    const it = running(shares);
    it.answers = false;
    it.send(Op.UPDATE, 4, 130n);
    it.take();
    it.send(Op.BROADCAST, 5, 119n);
    expect(it.told).toEqual(['broadcast 119']);
    expect(it.take()).toEqual(['ACK 5: 0']);
    it.curtail(150n);
    it.send(Op.BROADCAST, 6, 120n);
    if (shares) {
      expect(it.take()).toEqual(['ACK 6: 0']);
    } else {
      expect(it.take()).toEqual(['FREE_UNTIL 150']);
      it.answer();
      expect(it.take()).toEqual(['ACK 6: 0']);
    }
  });

  test('a broadcast of others is for one that waits, and only that', () => {
    const it = bench();
    it.client.broadcast(1n);
    it.send(Op.START, 1, 5n);
    it.client.broadcast(2n);
    expect(it.take()).toEqual([]);
    const quiet = waiting(shares);
    quiet.client.broadcast(3n);
    expect(quiet.take()).toEqual(['BROADCAST 3']);
  });
});

interface Violation {
  readonly what: string;
  readonly says: string;
  do(it: TimeClientBench): void;
}

const VIOLATIONS: readonly Violation[] = [
  { what: 'RUN', says: 'it sent RUN', do: (it) => it.send(Op.RUN, 9, 150n) },
  { what: 'FREE_UNTIL', says: 'it sent FREE_UNTIL', do: (it) => it.send(Op.FREE_UNTIL, 9, 150n) },
  { what: 'START again', says: 'it sent START', do: (it) => it.send(Op.START, 9) },
  { what: 'an unknown operation', says: 'it sent operation 10', do: (it) => it.send(10, 9) },
  { what: 'garbage', says: 'it sent operation 3735928559', do: (it) => it.send(0xdead_beef, 9) },
  {
    what: 'an acknowledgement of nothing',
    says: 'it acknowledged message 1234, where none was expected',
    do: (it) => it.send(Op.ACK, 1234),
  },
  {
    what: 'an UPDATE beyond its grant',
    says: 'it ran past its time: it came to 0.000000200, and was allowed to run up to 0.000000200 only',
    do: (it) => it.send(Op.UPDATE, 9, 200n),
  },
  {
    what: 'an UPDATE beyond all time',
    says: 'it ran past its time: it came to never',
    do: (it) => it.send(Op.UPDATE, 9, U64_MAX),
  },
  {
    what: 'an UPDATE backwards',
    says: 'its time went back from 0.000000100 to 0.000000099',
    do: (it) => it.send(Op.UPDATE, 9, 99n),
  },
  {
    what: 'a REQUEST in the past',
    says: 'it asked to run at 0.000000099, when it was 0.000000100 already',
    do: (it) => it.send(Op.REQUEST, 9, 99n),
  },
  {
    what: 'WAIT twice',
    says: 'it sent WAIT while it was waiting already',
    do: (it) => {
      it.send(Op.WAIT, 9);
      it.send(Op.WAIT, 10);
    },
  },
  {
    what: 'an UPDATE while it waits',
    says: 'it sent UPDATE, which a client does not send here',
    do: (it) => {
      it.send(Op.WAIT, 9);
      it.send(Op.UPDATE, 10, 150n);
    },
  },
];

describe('a violation of the protocol ends the connection, and says what it was', () => {
  describe.each([true, false])('shared memory: %s', (shares) => {
    test.each(VIOLATIONS)('$what', ({ says, do: violate }) => {
      const it = running(shares);
      violate(it);
      const faults = it.told.filter((line) => line.startsWith('failed'));
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(says);
      expect(it.take()).toContain('closed');
      expect(it.client.wake).toBe(NEVER);
    });
  });

  test.each(Object.values(Op).filter((op) => op !== Op.START && op !== Op.ACK))(
    'operation %i before START',
    (op) => {
      const it = bench();
      it.send(op, 1);
      expect(it.told[0]).toMatch(/^failed: its first message was \w+, where START was expected$/);
    },
  );

  test('anything before START is answered', () => {
    const it = bench();
    it.send(Op.START, 1);
    it.send(Op.REQUEST, 2, 5n);
    expect(it.told[1]).toBe('failed: it sent REQUEST before its START was answered');
  });

  test('an acknowledgement with another number', () => {
    const it = running(false);
    it.answers = false;
    it.curtail(150n);
    it.send(Op.ACK, 77);
    expect(it.told[0]).toMatch(/^failed: it acknowledged message 77, where that of \d+ was expected$/);
  });

  test('times in the page: beyond the grant, beyond all time, in the past', () => {
    for (const [at, says] of [
      [200n, 'it ran past its time: it came to 0.000000200'],
      [1n << 63n, 'it ran past its time: it came to never'],
      [U64_MAX, 'it ran past its time: it came to never'],
      [99n, 'its time went back from 0.000000100 to 0.000000099'],
    ] as const) {
      const it = running(true);
      it.currentTime = at;
      // Until it says something, others go by what was right.
      expect(it.client.now).toBe(100n);
      it.send(Op.WAIT, 4);
      expect(it.told[0]).toContain(says);
    }
  });

  test('a page of any content fails the client, or leaves it a time that is not past', () => {
    const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: U64_MAX }));
    fc.assert(
      fc.property(u64, u64, fc.boolean(), (now, request, asks) => {
        const it = new TimeClientBench();
        try {
          it.start(true, 0n, 200n);
          it.currentTime = now;
          it.request = asks ? request : undefined;
          it.send(Op.WAIT, 2);
          const fine = now < 200n;
          expect(it.told.slice(1)).toEqual(
            fine ? ['quiet'] : [expect.stringContaining('failed: it ran past')],
          );
          const expected = asks && request < NEVER ? (request > now ? request : now) : NEVER;
          expect(it.client.wake).toBe(fine ? expected : NEVER);
        } finally {
          it.dispose();
        }
      }),
    );
  });

  test('any bytes, at any moment, do no more than end the connection', () => {
    const op = fc.oneof(fc.nat(12), fc.nat(0xffff_ffff));
    const at = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: U64_MAX }));
    const move = fc.oneof(
      fc.record({ send: fc.tuple(op, fc.nat(5), at) }),
      fc.record({ bytes: fc.uint8Array({ maxLength: 40 }) }),
      fc.constantFrom('run', 'curtail', 'broadcast', 'reach', 'wake'),
    );
    fc.assert(
      fc.property(fc.boolean(), fc.array(move, { maxLength: 12 }), (shares, moves) => {
        const it = new TimeClientBench();
        try {
          it.start(shares, 0n, 100n);
          let time = 100n;
          for (const step of moves) {
            if (step === 'run') {
              it.run(time, time + 100n);
              time += 100n;
            } else if (step === 'curtail') it.curtail(time - 50n);
            else if (step === 'broadcast') it.client.broadcast(1n);
            else if (step === 'reach') it.client.reach(instant(time));
            else if (step === 'wake') expect(it.client.wake).toBeLessThanOrEqual(NEVER);
            else if ('send' in step) it.send(...step.send);
            else it.sendBytes(step.bytes);
          }
          const received = it.take();
          const ends = it.told.filter((line) => line.startsWith('failed'));
          expect(ends.length).toBeLessThanOrEqual(1);
          expect(received.includes('closed')).toBe(ends.length === 1);
        } finally {
          it.dispose();
        }
      }),
    );
  });
});

describe('the connection ends', () => {
  const moments: readonly [string, (it: TimeClientBench) => void][] = [
    ['before START', () => undefined],
    ['within a message', (it) => it.sendBytes(Uint8Array.of(1, 0, 0))],
    ['while it is held', (it) => it.send(Op.START, 1)],
    ['while it runs, with shared memory', (it) => it.start(true, 0n, 100n)],
    ['while it runs, by messages', (it) => it.start(false, 0n, 100n)],
    [
      'while it waits',
      (it) => {
        it.start(true, 0n, 100n);
        it.send(Op.WAIT, 2);
      },
    ],
  ];

  test.each(moments)('%s: its owner hears once that it left', (_moment, prepare) => {
    const it = bench();
    prepare(it);
    it.hangUp();
    expect(it.told.at(-1)).toBe('left: its time socket was closed (the peer closed the connection)');
    const { length } = it.told;
    it.settle();
    it.client.close();
    it.client.broadcast(1n);
    it.run(50n, 60n);
    it.curtail(55n);
    expect(it.told).toHaveLength(length);
    expect(it.client.wake).toBe(NEVER);
  });

  test.each(moments)('%s, by us: its owner hears nothing', (_moment, prepare) => {
    const it = bench();
    prepare(it);
    const { length } = it.told;
    it.client.close();
    it.client.close();
    it.settle();
    expect(it.told).toHaveLength(length);
    expect(it.take()).toContain('closed');
  });

  test('while it owes an answer: nobody is kept waiting for it', () => {
    const it = running(false);
    it.answers = false;
    it.curtail(150n);
    const settled: string[] = [];
    it.client.whenSettled(() => settled.push('settled'));
    expect(settled).toEqual([]);
    it.hangUp();
    expect(settled).toEqual(['settled']);
    it.client.whenSettled(() => settled.push('later'));
    expect(settled).toEqual(['settled', 'later']);
  });

  test('when its owner gives it up', () => {
    const it = running(true);
    it.client.giveUp('it hangs');
    it.client.giveUp('it hangs');
    expect(it.told).toEqual(['failed: it hangs']);
  });

  test('one that took a page late is no surprise', () => {
    const it = bench();
    it.start(false, 0n, 100n);
    it.send(Op.REQUEST, 2, 50n);
    it.capabilities = CAP_TIME_SHARE;
    it.send(Op.WAIT, 3);
    expect(it.client.wake).toBe(50n);
  });
});
