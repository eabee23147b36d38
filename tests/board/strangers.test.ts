// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { encodeToBoard, SESSION_BYTES } from '../../protocols/board/index.js';
import { RawClient, rejection, TestBoard } from './support.js';

const SOON_MS = 200;
const session = randomBytes(SESSION_BYTES);
const hello = { type: 'hello', version: 1, session, resume: false } as const;

/** Nobody had the board, and who has the key can have it. */
async function expectUntouched(board: TestBoard): Promise<void> {
  expect(board.device.writes).toEqual([]);
  const { link } = await board.link();
  expect((await link.status()).loaded).toBe(true);
}

describe('who has not the key is disconnected within a bound, and the board is not touched', () => {
  test('another key', async () => {
    const board = await TestBoard.start();
    const error = await rejection(board.link({ key: randomBytes(32) }));
    expect(error).toBeInstanceOf(OneclockError);
    expect(error.message).toMatch(/^bp1: the agent at 127\.0\.0\.1:\d+ has another key/);
    expect(await board.reported(/was refused: it has another key/)).toContain('127.0.0.1');
    await expectUntouched(board);
  });

  test('a name that is none', async () => {
    const board = await TestBoard.start();
    const error = await rejection(board.link({ name: 'bad name\n' }));
    expect((error as OneclockError).code).toBe('PARTICIPANT');
    await expectUntouched(board);
  });

  test('TLS without a pre-shared key', async () => {
    const board = await TestBoard.start();
    const socket = connectTls({ host: '127.0.0.1', port: board.port, rejectUnauthorized: false });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/alert|handshake|protocol/i);
    await board.reported(/does not speak TLS with a pre-shared key/);
    await expectUntouched(board);
  });

  test.each([
    ['text', 'GET / HTTP/1.0\r\n\r\n'],
    ['garbage', randomBytes(4096)],
    ['a good Hello without TLS', Buffer.from([0x0a, 0x1a, 0x08, 0x01])],
  ])('%s in place of TLS', async (_, bytes) => {
    const board = await TestBoard.start({ helloMs: SOON_MS });
    const client = await RawClient.plain(board.port);
    client.socket.write(bytes);
    await client.closed;
    await expectUntouched(board);
  });

  test('silence', async () => {
    const board = await TestBoard.start({ helloMs: SOON_MS });
    const client = await RawClient.plain(board.port);
    await client.closed;
    await board.reported(/did not say Hello within 200 ms/);
    await expectUntouched(board);
  });

  test('a byte now and then', async () => {
    const board = await TestBoard.start({ helloMs: SOON_MS });
    const client = await RawClient.plain(board.port);
    // The beginning of a TLS record of the greatest size, so that every byte is plausible.
    const bytes = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(1000)]);
    let at = 0;
    const drip = setInterval(() => client.socket.write(bytes.subarray(at, ++at)), 20);
    await client.closed;
    clearInterval(drip);
    await expectUntouched(board);
  });

  test('the key and then silence', async () => {
    const board = await TestBoard.start({ helloMs: SOON_MS });
    const client = await RawClient.secure(board);
    await client.closed;
    await expectUntouched(board);
  });

  test('more strangers than there is room for: the oldest go, and who has the key gets in', async () => {
    const board = await TestBoard.start({ strangers: 4, helloMs: 60_000 });
    const clients: RawClient[] = [];
    for (let count = 0; count < 10; count++) clients.push(await RawClient.plain(board.port));
    await Promise.all(clients.slice(0, 6).map(({ closed }) => closed));
    await expectUntouched(board);
  });
});

describe('who has the key and breaks the protocol is disconnected', () => {
  test.each<[string, (client: RawClient) => void, RegExp]>([
    [
      'a message that is too long',
      ({ socket }) => socket.write(Buffer.from([0x81, 0x80, 0x04])),
      /at most 65536 bytes, found one of 65537/,
    ],
    ['garbage', ({ socket }) => socket.write(Buffer.alloc(100, 0xff)), /found a size that takes more bytes/],
    [
      'a request before Hello',
      (client) => client.say(1, { type: 'setMode', freeze: true }),
      /expected Hello, found setMode/,
    ],
    [
      'a Hello that has received something',
      (client) => client.say(0, hello, 7),
      /expected a new session with nothing received, found 7/,
    ],
    [
      'two Hellos',
      (client) => {
        client.say(0, hello);
        client.say(0, hello);
      },
      /expected one Hello, found another/,
    ],
    [
      'a request out of order',
      (client) => {
        client.say(0, hello);
        client.say(2, { type: 'setMode', freeze: true });
      },
      /expected request 1, found 2/,
    ],
    [
      'an acknowledgement of what was never sent',
      (client) => {
        client.say(0, hello);
        client.say(0, { type: 'acknowledge' }, 9);
      },
      /expected an acknowledgement of at most 0, found 9/,
    ],
  ])('%s', async (_, misbehave, pattern) => {
    const board = await TestBoard.start({ releaseAfterMs: 1 });
    const client = await RawClient.secure(board);
    misbehave(client);
    await client.closed;
    await board.reported(pattern);
    if (board.reports.some((text) => text.includes('belongs to'))) await board.reported(/is released/);
    expect(board.device.writes.filter((write) => write !== 'mode unfreeze')).toEqual([]);
    const { link } = await board.link();
    expect((await link.status()).loaded).toBe(true);
  });

  test('more requests at once than may wait', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 1 });
    const client = await RawClient.secure(board);
    client.say(0, hello);
    for (let request = 1; request <= 2000; request++) client.say(request, { type: 'getStatus' });
    await client.closed;
    await board.reported(/expected at most 64 requests to wait, found more/);
  });

  test('who asks and asks, and never reads', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 1, unreadBytes: 50_000 });
    const client = await RawClient.secure(board);
    client.say(0, hello);
    await client.message('welcome');
    client.socket.pause();
    const asked = Buffer.concat(
      Array<Uint8Array>(1000).fill(
        encodeToBoard({ request: 0, received: 0, body: { type: 'clock', number: 1 } }),
      ),
    );
    const ask = (error?: Error | null) => {
      if (!error && !client.socket.destroyed) client.socket.write(asked, ask);
    };
    ask();
    await board.reported(/it has left \d+ bytes unread/);
    client.socket.destroy();
    await board.reported(/is released/);
  });

  test('another version is told so', async () => {
    const board = await TestBoard.start();
    const client = await RawClient.secure(board);
    client.say(0, { ...hello, version: 2 });
    expect(await client.message('refused')).toMatchObject({
      reason: 'version',
      text: expect.stringContaining('this agent speaks version 1, the controller 2'),
    });
    await client.closed;
    await expectUntouched(board);
  });

  test('a session that is gone is told so', async () => {
    const board = await TestBoard.start();
    const client = await RawClient.secure(board);
    client.say(0, { ...hello, resume: true });
    expect(await client.message('refused')).toMatchObject({ reason: 'gone' });
    await client.closed;
    await expectUntouched(board);
  });
});

describe('one controller at a time', () => {
  test('a second one with the key is told that the board is busy, and the first one notices nothing', async () => {
    const board = await TestBoard.start();
    const first = await board.link();
    const error = await rejection(board.link({ name: 'other' }));
    expect(error.message).toMatch(
      /^other: its agent refused: the board belongs to controller .* \(for bp1\)$/,
    );
    expect((await first.link.status()).loaded).toBe(true);
    expect(first.connections).toEqual([undefined]);
  });

  test('also while the first one may still come back', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 60_000 });
    const first = await board.link();
    first.link.close();
    await board.reported(/is lost/);
    const error = await rejection(board.link());
    expect(error.message).toContain('whose connection was lost a moment ago');
  });

  test('and after its release the next one gets it', async () => {
    const board = await TestBoard.start();
    const first = await board.link();
    await first.link.release();
    const second = await board.link();
    expect((await second.link.status()).runs).toEqual([]);
  });
});

describe('what listens is no agent', () => {
  test('nothing listens: the bound is kept and said', async () => {
    const board = await TestBoard.start();
    const { port } = board;
    board.stop();
    const error = await rejection(board.link({ port, bounds: { reachMs: 100, firstPauseMs: 10 } }));
    expect(error.message).toMatch(/^bp1: no connection to 127\.0\.0\.1:\d+ within 100 ms: .*ECONNREFUSED/);
  });

  test('something that accepts and says nothing', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const board = await TestBoard.start();
    const { port } = server.address() as AddressInfo;
    const bounds = { reachMs: 150, connectMs: 50, firstPauseMs: 10 };
    const error = await rejection(board.link({ port, bounds }));
    expect(error.message).toMatch(/^bp1: no connection to .*did not welcome us within 50 ms/);
  });

  test('something that speaks another protocol', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const board = await TestBoard.start();
    const { port } = server.address() as AddressInfo;
    const error = await rejection(board.link({ port }));
    expect(error.message).toMatch(/^bp1: what listens at 127\.0\.0\.1:\d+ is no board agent/);
  });
});
