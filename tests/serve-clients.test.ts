// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Hub, NativeHub } from '../host/native/index.js';
import { Op, SharedLayout } from '../protocols/um-timetravel/index.js';
import { ForeignCalendar } from './support/foreign-calendar.js';
import { ForeignClient } from './support/foreign-client.js';
import { drive } from './support/foreign-drive.js';

const MS = 1_000_000n;
const SECOND = 1000n * MS;
/** Where the time of day begins, in nanoseconds since 1970. */
const START = BigInt(Date.UTC(2026, 0, 1)) * MS;

/** A hub of the test's own, for clients that it plays itself. */
function testHub(): Hub {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  return hub;
}

/** Numbers that are the same in every run. */
function* numbers(seed: number, limit: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield (state >>> 8) % limit;
  }
}

describe('many clients', () => {
  test.each([
    { kind: 'that share the page', shares: () => true },
    { kind: 'that go by messages', shares: () => false },
    { kind: 'of both kinds', shares: (place: number) => place % 2 === 0 },
  ])('100 $kind run in the order of time, and of connection within an instant', async ({ shares }) => {
    const calendar = new ForeignCalendar(['--clients', '100']);
    await calendar.ready();
    const hub = testHub();
    const turns: { at: bigint; place: number }[] = [];
    const clients = Array.from({ length: 100 }, (_, place) => {
      const delays = numbers(place + 1, 4);
      let left = 5;
      const next = (client: ForeignClient) => {
        client.sleepUntil(client.now + BigInt(1 + (delays.next().value as number)) * MS);
      };
      return new ForeignClient(hub, calendar.path('time'), {
        identity: BigInt(place),
        shares: shares(place),
        started: next,
        run: (client, at) => {
          turns.push({ at, place });
          if (--left > 0) next(client);
          else client.close();
        },
      });
    });
    await drive(hub, 'every client to end', () => clients.every(({ isClosed }) => isClosed));
    expect(turns).toHaveLength(500);
    const inOrder = [...turns].sort((a, b) => Number(a.at - b.at) || a.place - b.place);
    expect(turns).toEqual(inOrder);
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });

  test('come and go', async () => {
    const calendar = new ForeignCalendar([]);
    await calendar.ready();
    const hub = testHub();
    const begun: bigint[] = [];
    const ran: bigint[] = [];
    /** A client that lives until the next one has begun. */
    const bear = (before: ForeignClient | undefined) => {
      new ForeignClient(hub, calendar.path('time'), {
        identity: BigInt(begun.length),
        started: (client) => {
          client.timeOfDay((nanoseconds) => {
            before?.close();
            begun.push(nanoseconds - START);
            client.sleepUntil(client.now + 100n * MS);
          });
        },
        run: (client, at) => {
          ran.push(at);
          if (begun.length === 30) {
            client.close();
          } else {
            const next = begun.length;
            bear(client);
            // Alone it would be at its next turn at once.
            void calendar.said(`(identity ${next}) starts`).then(() => client.sleepUntil(at + 100n * SECOND));
          }
        },
      });
    };
    bear(undefined);
    let ended = false;
    void calendar.ended.then(() => {
      ended = true;
    });
    await drive(hub, 'the last one to go', () => ended);
    expect(begun).toHaveLength(30);
    // Each begins where the calendar is by then, never before, and by its own clock at 0.
    expect(begun).toEqual([...begun].sort((a, b) => Number(a - b)));
    expect(begun[0]).toBe(0n);
    expect(ran).toEqual(begun.map(() => 100n * MS));
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });

  test('a client that waits is not kept from its turn by one that need not wait', async () => {
    const calendar = new ForeignCalendar(['--clients', '2']);
    await calendar.ready();
    const hub = testHub();
    const turns: string[] = [];
    const free = new ForeignClient(hub, calendar.path('time'), {
      identity: 1n,
      shares: true,
      started: (client) => client.sleepUntil(MS),
      run: (client, at) => {
        turns.push(`free ${at} until ${client.freeUntil}`);
        if (client.freeUntil === 20n * MS) client.close();
        else client.sleepUntil(client.freeUntil);
      },
    });
    const other = new ForeignClient(hub, calendar.path('time'), {
      identity: 2n,
      shares: false,
      started: (client) => client.sleepUntil(10n * MS),
      run: (client, at) => {
        turns.push(`other ${at}`);
        if (at === 20n * MS) client.close();
        else client.sleepUntil(20n * MS);
      },
    });
    await drive(hub, 'both to end', () => free.isClosed && other.isClosed);
    expect(turns).toEqual([
      `free ${MS} until ${10n * MS}`,
      `free ${10n * MS} until ${10n * MS + 1n}`,
      `other ${10n * MS}`,
      `free ${10n * MS + 1n} until ${20n * MS}`,
      `other ${20n * MS}`,
    ]);
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });
});

interface Fault {
  readonly what: string;
  readonly shares: boolean;
  readonly says: string;
  /** What the client does with its turn at 10 ms. */
  do(client: ForeignClient): void;
}

const request = (client: ForeignClient, at: bigint) => {
  client.page.setBigUint64(client.place + SharedLayout.OFFSET_REQUEST_TIME, at, true);
  client.page.setUint32(client.place + SharedLayout.OFFSET_FLAGS, 1, true);
};
const current = (client: ForeignClient, at: bigint) => {
  client.page.setBigUint64(SharedLayout.OFFSET_CURRENT_TIME, at, true);
};

const FAULTS: readonly Fault[] = [
  ...[true, false].flatMap((shares): Fault[] => [
    { what: 'an unknown operation', shares, says: 'operation 77', do: (client) => client.send(77, 0n) },
    { what: 'RUN', shares, says: 'it sent RUN', do: (client) => client.send(Op.RUN, 0n) },
    { what: 'START again', shares, says: 'it sent START', do: (client) => client.send(Op.START, 0n) },
    {
      what: 'an acknowledgement of nothing',
      shares,
      says: 'it acknowledged message 9',
      do: (client) => client.sendBytes(Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    },
    {
      what: 'garbage',
      shares,
      says: 'it sent operation 2779096485',
      do: (client) => client.sendBytes(new Uint8Array(1000).fill(0xa5)),
    },
    {
      what: 'WAIT twice',
      shares,
      says: 'it sent WAIT while it was waiting already',
      do: (client) => {
        client.send(Op.WAIT, 0n);
        client.send(Op.WAIT, 0n);
      },
    },
    {
      what: 'an UPDATE beyond its grant',
      shares,
      says: 'it ran past its time',
      do: (client) => client.send(Op.UPDATE, 40n * MS),
    },
    {
      what: 'a REQUEST in the past',
      shares,
      says: 'it asked to run at 0.000000001',
      do: (client) => client.send(Op.REQUEST, 1n),
    },
    {
      what: 'nothing, for ever',
      shares,
      says: 'it hangs: no message for 1 s',
      do: () => undefined,
    },
  ]),
  {
    what: 'a time beyond its grant in the page',
    shares: true,
    says: 'it ran past its time: it came to 0.040000000',
    do: (client) => {
      current(client, 40n * MS);
      client.wait();
    },
  },
  {
    what: 'a time beyond all time in the page',
    shares: true,
    says: 'it ran past its time: it came to never',
    do: (client) => {
      current(client, 0xffff_ffff_ffff_ffffn);
      client.wait();
    },
  },
  {
    what: 'a time in the past in the page',
    shares: true,
    says: 'its time went back from 0.010000000 to 0.000000003',
    do: (client) => {
      current(client, 3n);
      client.wait();
    },
  },
];

describe('a client that misbehaves costs only itself', () => {
  test.each(FAULTS)('$what (shared memory: $shares)', async (fault) => {
    const calendar = new ForeignCalendar(['--clients', '3', '--hang', '1s']);
    await calendar.ready();
    const hub = testHub();
    let good = 0;
    const clients = [true, false].map(
      (shares) =>
        new ForeignClient(hub, calendar.path('time'), {
          identity: 1n,
          shares,
          started: (client) => client.sleepUntil(20n * MS),
          run: (client, at) => {
            good++;
            if (at < 100n * MS) client.sleepUntil(at + 20n * MS);
            else client.close();
          },
        }),
    );
    new ForeignClient(hub, calendar.path('time'), {
      identity: 66n,
      shares: fault.shares,
      started: (client) => client.sleepUntil(10n * MS),
      run: (client) => fault.do(client),
    });
    await drive(hub, 'the others to end', () => clients.every(({ isClosed }) => isClosed));
    expect(good).toBeGreaterThanOrEqual(10);
    const { status, stderr } = await calendar.ended;
    expect(stderr).toContain(fault.says);
    expect(stderr).toMatch(/client 3 \(identity 66\) left at 0\.0[12]0000000.*its last message was /);
    expect(status).toBe(3);
    expect(calendar.files).toEqual([]);
  });

  test('a page with requests in the past, and beyond all time', async () => {
    const calendar = new ForeignCalendar(['--clients', '2']);
    await calendar.ready();
    const hub = testHub();
    const turns: bigint[] = [];
    const wild = new ForeignClient(hub, calendar.path('time'), {
      identity: 66n,
      shares: true,
      started: (client) => client.sleepUntil(50n * MS),
      run: (client, at) => {
        turns.push(at);
        request(client, turns.length === 1 ? 0n : 0xffff_ffff_ffff_ffffn);
        client.wait();
      },
    });
    const good = new ForeignClient(hub, calendar.path('time'), {
      identity: 1n,
      shares: true,
      started: (client) => client.sleepUntil(60n * MS),
      run: (client) => client.close(),
    });
    await drive(hub, 'the other to end', () => good.isClosed);
    expect(turns).toEqual([50n * MS, 50n * MS]);
    wild.close();
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });

  test('whoever answers to nobody keeps nobody waiting for an answer', async () => {
    const calendar = new ForeignCalendar(['--clients', '2', '--hang', '1s']);
    await calendar.ready();
    const hub = testHub();
    // It runs, and does not read its socket.
    const deaf = new NativeHub();
    onTestFinished(() => deaf.close());
    let running = false;
    new ForeignClient(deaf, calendar.path('time'), {
      identity: 66n,
      shares: false,
      started: (client) => client.sleepUntil(10n * MS),
      run: () => {
        running = true;
      },
    });
    let turn: bigint | undefined;
    const other = new ForeignClient(hub, calendar.path('time'), {
      identity: 1n,
      shares: true,
      started: (client) => client.wait(),
      run: (client, at) => {
        turn = at;
        client.close();
      },
    });
    await drive(hub, 'the deaf one to run', () => deaf.poll(0) === 0 && running);
    other.request(12n * MS);
    await drive(hub, 'its turn', () => other.isClosed);
    expect(turn).toBe(12n * MS);
    const { status, stderr } = await calendar.ended;
    expect(stderr).toContain('it hangs');
    expect(status).toBe(3);
  });
});

describe('broadcasts', () => {
  test('reach every other client, and a kernel', async () => {
    const calendar = new ForeignCalendar(['--clients', '3']);
    await calendar.ready();
    const hub = testHub();
    const heard: string[] = [];
    const reply = new ForeignClient(hub, calendar.path('time'), {
      identity: 8n,
      shares: true,
      started: (client) => client.wait(),
      broadcast: (client, value) => {
        heard.push(`first ${value}`);
        client.get((now) => client.request(now));
      },
      run: (client) => {
        client.broadcast(0x1234n, () => client.wait());
      },
    });
    const other = new ForeignClient(hub, calendar.path('time'), {
      identity: 9n,
      shares: false,
      started: (client) => client.wait(),
      broadcast: (_client, value) => {
        heard.push(`second ${value}`);
      },
    });
    const file = '/sys/kernel/um-ext-time/bc-message';
    const guest = calendar.guest({
      place: 1,
      run: `sleep 1; echo 0x77 > ${file}; sleep 1; echo "last: $(cat ${file})"`,
    });
    let console: string | undefined;
    void guest.ended().then((text) => {
      console = text;
    });
    await drive(hub, 'the end of the guest', () => console !== undefined);
    expect(heard).toEqual(['first 119', 'second 119', 'second 4660']);
    expect(console).toContain('last: 0x1234');
    reply.close();
    other.close();
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });
});

describe('the end', () => {
  test('by SIGINT leaves no socket', async () => {
    const calendar = new ForeignCalendar(['--net', 'net', '--clients', '2']);
    await calendar.ready();
    const hub = testHub();
    const client = new ForeignClient(hub, calendar.path('time'), { identity: 1n });
    await calendar.said('(identity 1) starts');
    expect(calendar.files).toEqual(['net', 'time']);
    calendar.interrupt();
    expect(await calendar.ended).toMatchObject({ status: 130 });
    await drive(hub, 'the connection to end', () => client.isClosed);
    expect(calendar.files).toEqual([]);
  });

  test('comes at the time that was given', async () => {
    const calendar = new ForeignCalendar(['--until', '2500ms']);
    await calendar.ready();
    const hub = testHub();
    const turns: bigint[] = [];
    const client = new ForeignClient(hub, calendar.path('time'), {
      identity: 1n,
      started: (started) => started.sleepUntil(SECOND),
      run: (running, at) => {
        turns.push(at);
        running.sleepUntil(at + SECOND);
      },
    });
    await drive(hub, 'the connection to end', () => client.isClosed);
    expect(turns).toEqual([SECOND, 2n * SECOND]);
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });

  test('comes at once where a socket cannot be made, and leaves the others away', async () => {
    const calendar = new ForeignCalendar(['--net', 'taken']);
    writeFileSync(calendar.path('taken'), '');
    const { status, stderr } = await calendar.ended;
    expect(stderr).toContain('taken');
    expect(status).toBe(2);
    expect(calendar.files).toEqual(['taken']);
  });
});
