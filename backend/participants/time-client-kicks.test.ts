// SPDX-License-Identifier: MIT
import { describe, expect, onTestFinished, test } from 'vitest';
import { NotifyLayout, Op } from '../../protocols/um-timetravel/index.js';
import { TimeClientBench } from './testing/time-client-bench.js';

/** A client that uses the page and runs, from 100 up to 200; after a kick of device 1 it may go on for 30. */
function running(): TimeClientBench {
  const it = new TimeClientBench();
  onTestFinished(() => it.dispose());
  it.start(true, 0n, 50n);
  it.request = 100n;
  it.send(Op.WAIT, 2);
  it.notifications.setPatience(1, 30n);
  it.listening = 0b10n;
  it.run(100n, 200n);
  it.request = undefined;
  it.take();
  it.told.length = 0;
  return it;
}

describe('kicks that a client leaves in its page', () => {
  test('are taken at its next message, each at its time, before that', () => {
    const it = running();
    it.leaveKick(110n, 1, 1, 7);
    it.leaveKick(125n, 1, 1, 9);
    it.currentTime = 130n;
    expect(it.told).toEqual([]);
    it.send(Op.WAIT, 3);
    expect(it.told).toEqual(['kick 1.1 up to 7 at 110', 'kick 1.1 up to 9 at 125', 'quiet']);
    expect(it.client.now).toBe(130n);
    expect(it.leftKicks).toBe(0);
  });

  test('shorten the grant by what comes of them', () => {
    const it = running();
    it.onKick = () => it.curtail(160n);
    it.leaveKick(110n, 1, 1, 1);
    it.currentTime = 120n;
    it.send(Op.GET, 3);
    expect(it.shared.freeUntil).toBe(160n);
    expect(it.take()).toEqual(['ACK 3: 120']);
  });

  test.each([
    ['from before it ran', [[90n, 1]], 'its time went back from 0.000000100 to 0.000000090'],
    [
      'that go back',
      [
        [110n, 1],
        [105n, 1],
      ],
      'its time went back from 0.000000110 to 0.000000105',
    ],
    ['past its grant', [[200n, 1]], 'it ran past its time: it came to 0.000000200'],
    ['of a device that must send a message', [[110n, 2]], 'it ran past its time'],
    ['of a device past all others', [[110n, 0xffff]], 'it ran past its time'],
    [
      'when it has not waited for what could come of them',
      [
        [110n, 1],
        [145n, 1],
      ],
      'it ran past its time',
    ],
  ] as const)('%s end it', (_what, kicks, reason) => {
    const it = running();
    for (const [time, device] of kicks) it.leaveKick(time, device, 1, 1);
    it.currentTime = 115n;
    it.send(Op.WAIT, 3);
    expect(it.told.at(-1)).toContain(`failed: ${reason}`);
    expect(it.told).not.toContain('quiet');
  });

  test('before it ran on too far end it, whatever it says of its patience', () => {
    const it = running();
    it.view.setBigUint64(NotifyLayout.OFFSET + NotifyLayout.OFFSET_PATIENCE + 8, 1000n, true);
    it.leaveKick(110n, 1, 1, 1);
    it.currentTime = 140n;
    it.send(Op.WAIT, 3);
    expect(it.told.at(-1)).toContain(
      'failed: it ran past its time: it came to 0.000000140, and was allowed to run up to 0.000000140 only',
    );
  });

  test('in an impossible number end it', () => {
    const it = running();
    it.leftKicks = 65;
    it.send(Op.WAIT, 3);
    expect(it.told).toEqual(['failed: it left 65 kicks in its page, which has room for 64']);
  });

  test('are nothing where the client is closed by one of them', () => {
    const it = running();
    it.onKick = () => it.client.close();
    for (const time of [110n, 111n]) it.leaveKick(time, 1, 1, 1);
    it.send(Op.WAIT, 3);
    expect(it.told).toEqual([]);
  });

  test('do not count while it waits', () => {
    const it = running();
    it.send(Op.WAIT, 3);
    it.leaveKick(110n, 1, 1, 1);
    it.send(Op.GET, 4);
    expect(it.told).toEqual(['quiet']);
  });
});

describe('an interrupt in the page', () => {
  test('is left for a client that waits, which wants to run then', () => {
    const it = running();
    it.send(Op.WAIT, 3);
    it.client.reach(150n as never);
    expect(it.client.call(1, 0)).toBe(true);
    expect(it.client.call(1, 2)).toBe(true);
    expect(it.calls(1)).toBe(0b101n);
    expect(it.client.wake).toBe(150n);
    expect(it.take()).toEqual([]);
  });

  test('is none for a client that runs, nor for a device that is not looked at', () => {
    const it = running();
    expect(it.client.call(1, 0)).toBe(false);
    it.send(Op.WAIT, 3);
    for (const device of [0, 2, 32, 0xffff]) expect(it.client.call(device, 0)).toBe(false);
  });
});
