// SPDX-License-Identifier: MIT
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  encodeCredit,
  encodeFrame,
  MAX_RELAY_DATA,
  RELAY_HEADER,
  RELAY_WINDOW,
  RelayFrame,
} from '../../protocols/relay/index.js';
import { OneclockError } from '../errors.js';
import { Relay } from './relay.js';

/** What a relay is to send: the numbers and types of its frames, and how much data is in them. */
class Sent {
  readonly frames: string[] = [];
  data = 0;
  full = false;

  readonly take = (frame: Uint8Array): boolean => {
    if (this.full) return false;
    const view = new DataView(frame.buffer);
    const type = Object.entries(RelayFrame).find(([, value]) => value === view.getUint8(4))?.[0];
    if (type === 'DATA') this.data += frame.length - RELAY_HEADER;
    this.frames.push(`${view.getUint32(0, true)} ${type}`);
    return true;
  };
}

function start(): { relay: Relay; sent: Sent } {
  const sent = new Sent();
  return { relay: new Relay(sent.take), sent };
}

const data = (connection: number, size: number) =>
  encodeFrame(connection, RelayFrame.DATA, new Uint8Array(size));

describe('Relay', () => {
  test('sends what there is room for, and the rest when there is more', () => {
    const { relay, sent } = start();
    let written = false;
    relay.dial().write(new Uint8Array(RELAY_WINDOW + 100_000), () => {
      written = true;
    });
    expect(sent.data).toBe(RELAY_WINDOW);
    relay.take(encodeCredit(1, 99_999));
    expect([sent.data, written]).toEqual([RELAY_WINDOW + 99_999, false]);
    relay.take(encodeCredit(1, 1));
    expect(sent.data).toBe(RELAY_WINDOW + 100_000);
  });

  test('gives room for what was read, and for no more', async () => {
    const { relay, sent } = start();
    const connection = relay.dial();
    for (let left = RELAY_WINDOW; left > 0; left -= MAX_RELAY_DATA) relay.take(data(1, MAX_RELAY_DATA));
    const before = sent.frames.length;
    expect(() => relay.take(data(1, MAX_RELAY_DATA))).toThrow(OneclockError);
    let taken = 0;
    connection.on('data', (bytes: Buffer) => (taken += bytes.length));
    await once(connection, 'data');
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(RELAY_WINDOW);
    expect(sent.frames.length).toBeGreaterThan(before);
  });

  test('ends the connection before with the next, and hears no more of it', () => {
    const { relay, sent } = start();
    const [first, second] = [relay.dial(), relay.dial()];
    expect(sent.frames).toEqual(['1 OPEN', '1 CLOSE', '2 OPEN']);
    expect(first.destroyed).toBe(true);
    relay.take(data(1, 10));
    relay.take(encodeFrame(1, RelayFrame.CLOSE));
    relay.take(encodeFrame(0, RelayFrame.READY));
    expect(second.readableLength).toBe(0);
    relay.take(data(2, 10));
    expect(second.readableLength).toBe(10);
  });

  test('says once that a connection is over, however it ends', async () => {
    const { relay, sent } = start();
    const ended = relay.dial();
    ended.resume().end('x');
    await once(ended, 'close');
    relay.dial().destroy();
    const left = relay.dial();
    relay.take(encodeFrame(3, RelayFrame.CLOSE));
    left.write('for nobody');
    await once(left.resume(), 'close');
    const lost = relay.dial();
    relay.lost();
    await once(lost.resume(), 'close');
    expect(sent.frames).toEqual(['1 OPEN', '1 DATA', '1 CLOSE', '2 OPEN', '2 CLOSE', '3 OPEN', '4 OPEN']);
  });

  test('does not let a writer wait for a guest that has closed', async () => {
    const { relay } = start();
    const connection = relay.dial();
    const written = new Promise((resolve) => connection.write(new Uint8Array(2 * RELAY_WINDOW), resolve));
    relay.take(encodeFrame(1, RelayFrame.CLOSE));
    await written;
  });

  test('fails a connection where the guest takes nothing any more', async () => {
    const { relay, sent } = start();
    sent.full = true;
    const [error] = (await once(relay.dial(), 'error')) as [Error];
    expect(error.message).toBe('the guest takes no input any more');
  });

  test('begins anew with a new relay in the guest', () => {
    const { relay } = start();
    relay.take(Uint8Array.of(1, 0, 0));
    relay.lost();
    const connection = relay.dial();
    relay.take(data(1, 5));
    expect(connection.readableLength).toBe(5);
  });
});
