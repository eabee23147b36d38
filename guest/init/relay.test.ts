// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Relay } from '../../backend/participants/relay.js';
import { MAX_RELAY_DATA, RELAY_HEADER, RELAY_WINDOW } from '../../protocols/relay/index.js';
import { until } from '../../tests/support/wait.js';

/** The relay of the guest, compiled with the sanitizers, and the controller's end of it. */
const { CC: compiler = 'cc' } = process.env;
const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
const skipped = hasCompiler ? '' : ` (skipped: needs a C compiler, ${compiler})`;

const HARNESS = `
#include <stdio.h>
#include <stdlib.h>
#include "relay.h"

int main(int count, char **words)
{
	if (count != 2)
		return 2;
	puts(relay_serve(3, (uint16_t)atoi(words[1])));
	return 0;
}
`;

const directory = mkdtempSync(join(tmpdir(), 'oneclock-relay-'));
const program = join(directory, 'harness');

/** A relay to a TCP port. */
class TestRelay {
  readonly relay: Relay;
  /** What it had to say at its end. */
  readonly words: Promise<string>;
  readonly channel: Duplex;
  /** Bytes that have come from it. */
  bytes = 0;
  readonly #process: ChildProcess;

  constructor(port: number) {
    this.#process = spawn(program, [`${port}`], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
    onTestFinished(() => {
      this.#process.kill('SIGKILL');
    });
    this.words = buffer(this.#process.stdout as NodeJS.ReadableStream).then((words) => words.toString());
    this.channel = this.#process.stdio[3] as Duplex;
    this.relay = new Relay((bytes) => {
      this.channel.write(bytes);
      return true;
    });
    this.channel.on('data', (bytes: Buffer) => {
      this.bytes += bytes.length;
      this.relay.take(Uint8Array.from(bytes));
    });
    this.channel.on('close', () => this.relay.lost());
    this.channel.on('error', () => undefined);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** A server for one test. */
async function listen(connected: (socket: Socket, number: number) => void, port = 0): Promise<number> {
  let number = 0;
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
    connected(socket, ++number);
  });
  onTestFinished(() => {
    server.close();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port at which nobody listens, as far as can be known. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(!hasCompiler)(`the relay${skipped}`, () => {
  beforeAll(() => {
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-I.', ...sanitize];
    const built = spawnSync(compiler, [...flags, '-o', program, '-x', 'c', '-', 'relay.c'], {
      cwd: import.meta.dirname,
      input: HARNESS,
    });
    expect(built.stderr.toString()).toBe('');
    expect(built.status).toBe(0);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('carries much in both directions at once, and its end behind it', async () => {
    const [there, back] = [randomBytes(3_000_017), randomBytes(2_000_003)];
    const pieces: Buffer[] = [];
    const port = await listen((socket) => {
      socket.write(back);
      socket.on('data', (bytes) => {
        pieces.push(bytes);
        if (pieces.reduce((sum, { length }) => sum + length, 0) >= there.length) socket.end();
      });
    });
    const { relay } = new TestRelay(port);
    const connection = relay.dial();
    connection.write(there);
    expect(Buffer.compare(await buffer(connection), back)).toBe(0);
    expect(Buffer.compare(Buffer.concat(pieces), there)).toBe(0);
  });

  test('delivers all that was written before the end, to a server that is slow', async () => {
    const sent = randomBytes(5_000_000);
    const pieces: Buffer[] = [];
    const port = await listen((socket) => {
      socket.pause();
      const timer = setInterval(() => {
        const piece = socket.read() as Buffer | null;
        if (piece !== null) pieces.push(piece);
      }, 1);
      onTestFinished(() => clearInterval(timer));
      socket.on('end', () => pieces.push(Buffer.from('end')));
    });
    const { relay } = new TestRelay(port);
    const connection = relay.dial();
    connection.end(sent);
    connection.resume();
    await once(connection, 'close');
    const whole = Buffer.concat([sent, Buffer.from('end')]);
    await until('everything', () => (Buffer.concat(pieces).length >= whole.length ? true : undefined));
    expect(Buffer.compare(Buffer.concat(pieces), whole)).toBe(0);
  });

  test('takes no more than there is room for from a server that does not stop', async () => {
    const port = await listen((socket) => {
      const more = () => {
        while (socket.write(Buffer.alloc(65_536, 'x')));
      };
      socket.on('drain', more);
      more();
    });
    const test = new TestRelay(port);
    const connection = test.relay.dial();
    const frames = RELAY_WINDOW / MAX_RELAY_DATA;
    await until('the window is full', () => (test.bytes >= RELAY_WINDOW ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 50));
    // READY, and frames that need not be full.
    expect(test.bytes).toBeLessThanOrEqual(RELAY_WINDOW + RELAY_HEADER * (1 + 8 * frames));
    let taken = 0;
    connection.on('data', (bytes: Buffer) => (taken += bytes.length));
    await until('more comes when some is taken', () => (taken > 4 * RELAY_WINDOW ? true : undefined));
  });

  test('lets a writer wait for a server that does not read, and no other', async () => {
    const port = await listen((socket, number) => {
      socket.pause();
      if (number === 2) socket.write('hello');
    });
    const { relay } = new TestRelay(port);
    const connection = relay.dial();
    const size = 64 * 1024 * 1024;
    connection.write(Buffer.alloc(size));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(connection.writableLength).toBe(size);
    const second = relay.dial();
    expect(connection.destroyed).toBe(true);
    expect(String((await once(second, 'data'))[0])).toBe('hello');
  });

  test('waits for a server that is not there yet, with what was written', async () => {
    const port = await freePort();
    const { relay } = new TestRelay(port);
    const connection = relay.dial();
    connection.write('hello');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await listen((socket) => socket.pipe(socket), port);
    const [bytes] = (await once(connection, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('hello');
  });

  test('does not mix connections, however they end', async () => {
    const open = new Set<Socket>();
    const port = await listen((socket, number) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      // Each talks without an end, with its own letter.
      const more = () => {
        while (socket.write(Buffer.alloc(10_000, number % 256)));
      };
      socket.on('drain', more);
      more();
    });
    const { relay } = new TestRelay(port);
    for (let number = 1; number <= 50; number++) {
      const connection = relay.dial();
      connection.write(`${number}`);
      const [bytes] = (await once(connection, 'data')) as [Buffer];
      expect(bytes.every((byte) => byte === number)).toBe(true);
      if (number % 3 === 0) connection.destroy();
      if (number % 3 === 1) connection.end();
    }
    await until('only the last is left', () => (open.size <= 1 ? true : undefined));
  });

  test('tells of an end by the server, and goes on', async () => {
    const port = await listen((socket, number) => {
      if (number === 1) socket.end('bye');
      else if (number === 2) socket.resetAndDestroy();
      else socket.pipe(socket);
    });
    const { relay } = new TestRelay(port);
    expect((await buffer(relay.dial())).toString()).toBe('bye');
    expect((await buffer(relay.dial())).toString()).toBe('');
    const third = relay.dial();
    third.write('still');
    expect(String((await once(third, 'data'))[0])).toBe('still');
  });

  test('closes towards the server when the controller closes or is gone', async () => {
    let closed = 0;
    const port = await listen((socket) => {
      socket.resume();
      socket.on('close', () => closed++);
      socket.write('hello');
    });
    const test = new TestRelay(port);
    const first = test.relay.dial();
    await once(first, 'data');
    first.destroy();
    await until('the first is closed', () => (closed === 1 ? true : undefined));
    await once(test.relay.dial(), 'data');
    test.channel.destroy();
    await until('the second is closed', () => (closed === 2 ? true : undefined));
    expect(await test.words).toMatch(/closed the port|reset/);
  });

  test('ends its connection when it is killed', async () => {
    const port = await listen((socket) => socket.write('hello'));
    const test = new TestRelay(port);
    const connection = test.relay.dial();
    await once(connection, 'data');
    test.kill();
    await once(connection, 'end');
  });

  test.each([
    ['an unknown frame', Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0)],
    ['a frame of a relay', Uint8Array.of(0, 0, 0, 0, 5, 0, 0, 0)],
    ['more data than a frame has', Uint8Array.of(1, 0, 0, 0, 2, 0, 1, 0x20)],
    ['credit of another size', Uint8Array.of(1, 0, 0, 0, 3, 0, 5, 0)],
  ])('ends at %s', async (_, bytes) => {
    const test = new TestRelay(1);
    test.channel.write(bytes);
    expect(await test.words).toBe('what comes from the port is no frame\n');
  });
});
