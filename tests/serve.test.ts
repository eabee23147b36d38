// SPDX-License-Identifier: MIT
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Hub, NativeHub } from '../host/native/index.js';
import { operations, parseRecorded, readRecording } from '../protocols/um-timetravel/testing/recording.js';
import { DeviceType } from '../protocols/virtio/index.js';
import { ForeignCalendar } from './support/foreign-calendar.js';
import { ForeignClient } from './support/foreign-client.js';
import { drive } from './support/foreign-drive.js';
import { Recorder } from './support/foreign-recorder.js';
import { Responder } from './support/foreign-responder.js';

const MS = 1_000_000n;
const SECOND = 1000n * MS;
const WAYS = [
  { way: 'shared memory', shares: true, words: [] },
  { way: 'messages alone', shares: false, words: ['--no-shm'] },
] as const;
const NET = [{ socket: 'net', type: DeviceType.NET }];
const up = (address: string) => `ip link set eth0 up && ip addr add ${address}/24 dev eth0`;

/** Checks round trip times, in microseconds. A look at the clock costs a guest 256 ns, which may show in the last. */
function expectRoundTrips(console: string, expected: readonly number[]): void {
  const found = [...console.matchAll(/time=(\d+)\.(\d{3}) ms/g)].map(([, ms, us]) => Number(`${ms}${us}`));
  expect(found.map((us, place) => (us === (expected[place] ?? 0) + 1 ? us - 1 : us))).toEqual(expected);
}

/** A hub of the test's own, for clients that it plays itself. */
function testHub(): Hub {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  return hub;
}

describe.each(WAYS)('guests of somebody else, by $way', ({ words, shares }) => {
  test('ping each other in exact time, and leave one after the other', async () => {
    const calendar = new ForeignCalendar([
      ...['--net', 'net', '--clients', '2', '--net-delay', '3ms'],
      ...words,
    ]);
    await calendar.ready();
    const run = `${up('10.0.0.1')} && ping -c 6 -i 0.1 10.0.0.2`;
    const pinger = calendar.guest({ place: 1, run, devices: NET });
    const pinged = calendar.guest({ place: 2, run: `${up('10.0.0.2')} && sleep 2`, devices: NET });
    // The first has to ask for the address before.
    expectRoundTrips(await pinger.ended(), [12_000, 6000, 6000, 6000, 6000, 6000]);
    expect(await pinged.ended()).toContain('oneclock: exit 0');
    const { status, stderr } = await calendar.ended;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(calendar.files).toEqual([]);
  });

  test('depend on a device simulator with no delay of its own', async () => {
    const calendar = new ForeignCalendar([
      ...['--net', 'net', '--clients', '3', '--net-delay', '3ms'],
      ...words,
    ]);
    await calendar.ready();
    const hub = testHub();
    const responder = new Responder({
      hub,
      time: calendar.path('time'),
      path: calendar.path('device'),
      identity: 99n,
      shares,
      address: [10, 1, 0, 2],
      workNs: 250_000n,
    });
    const devices = [...NET, { socket: 'device', type: DeviceType.NET }];
    const both = 'ip link set eth1 up && ip addr add 10.1.0.1/24 dev eth1';
    const run = `${up('10.0.0.1')} && ${both} && ping -c 4 -i 0.1 10.1.0.2 && ping -c 4 -i 0.1 10.0.0.2`;
    const pinger = calendar.guest({ place: 1, run, devices });
    const pinged = calendar.guest({ place: 2, run: `${up('10.0.0.2')} && sleep 2`, devices: NET });
    let console: string | undefined;
    void pinger.ended().then((text) => {
      console = text;
    });
    await drive(hub, 'the end of the guest', () => console !== undefined);
    expect(responder.fault).toBeUndefined();
    expect(responder.client.shares).toBe(shares);
    expectRoundTrips(console ?? '', [500, 250, 250, 250, 12_000, 6000, 6000, 6000]);
    responder.close();
    await pinged.ended();
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });
});

describe.each(WAYS)('one who comes late, by $way', ({ words, shares }) => {
  test('begins where the others are', async () => {
    const calendar = new ForeignCalendar(['--net', 'net', '--net-delay', '3ms', ...words]);
    await calendar.ready();
    const hub = testHub();
    let held = false;
    const anchor = new ForeignClient(hub, calendar.path('time'), {
      identity: 7n,
      shares,
      started: (client) => client.sleepUntil(5n * SECOND),
      // Time stands still until the next one has come.
      run: () => {
        held = true;
      },
    });
    const first = calendar.guest({ place: 1, run: `${up('10.0.0.1')} && sleep 12`, devices: NET });
    await calendar.said('(identity 1) starts at');
    await drive(hub, 'the anchor', () => held);
    const late = calendar.guest({
      place: 2,
      run: `${up('10.0.0.2')} && date +%s && ping -c 3 -i 0.1 10.0.0.1 && date +%s`,
      devices: NET,
    });
    await calendar.said('(identity 2) starts at');
    anchor.close();
    const console = await late.ended();
    expectRoundTrips(console, [12_000, 6000, 6000]);
    const begun = Number(/\(identity 2\) starts at (\d+)\./.exec(calendar.stderr)?.[1]);
    expect(begun).toBeGreaterThanOrEqual(5);
    expect(console).toMatch(new RegExp(`^${Date.UTC(2026, 0, 1) / 1000 + begun}$`, 'm'));
    expect(await first.ended()).toContain('oneclock: exit 0');
    expect(await calendar.ended).toMatchObject({ status: 0 });
  });
});

describe.each(WAYS)('what a kernel says, by $way', ({ words, shares }) => {
  test('is what was recorded', async () => {
    const calendar = new ForeignCalendar(['--net', 'net', '--clients', '2', ...words]);
    await calendar.ready();
    const hub = testHub();
    const recorder = new Recorder(hub, calendar.path('recorded'), calendar.path('time'));
    // Its mark is broadcast to the guest, and the guest's to it.
    const other = new ForeignClient(hub, calendar.path('time'), {
      identity: 2n,
      shares,
      started: (client) => client.sleepUntil(1500n * MS),
      run: (client) => client.broadcast(0x1234n, () => client.wait()),
    });
    const mark = '/sys/kernel/um-ext-time/bc-message';
    const run = `ip link set eth0 up; sleep 1; echo 0x77 > ${mark}; sleep 1`;
    const guest = calendar.guest({ place: 1, time: 'recorded', run, devices: NET });
    let ended = false;
    void guest.ended().then(() => {
      ended = true;
    });
    await drive(hub, 'the end of the guest', () => ended);
    other.close();
    expect(await calendar.ended).toMatchObject({ status: 0 });
    const said = recorder.lines.flatMap((line) => parseRecorded(line) ?? []);
    expect(said).toHaveLength(recorder.lines.length);
    const recorded = readRecording(shares ? 'shared' : 'messages');
    expect(operations(said, true)).toEqual(operations(recorded, true));
    expect(operations(said, false)).toEqual(operations(recorded, false));
  });
});

describe('a guest that stands still', () => {
  test('keeps nobody waiting for longer than the bound', async () => {
    const calendar = new ForeignCalendar(['--net', 'net', '--clients', '3', '--hang', '2s']);
    await calendar.ready();
    const hub = testHub();
    const stopped = calendar.guest({ place: 2, run: `${up('10.0.0.2')} && sleep 1000`, devices: NET });
    const anchor = new ForeignClient(hub, calendar.path('time'), {
      identity: 7n,
      started: (client) => client.sleepUntil(500n * MS),
      run: (client) => {
        stopped.child.kill('SIGSTOP');
        client.close();
      },
    });
    const run = `${up('10.0.0.1')} && sleep 1 && ping -c 1 -W 1 10.0.0.2`;
    const pinger = calendar.guest({ place: 1, run, devices: NET });
    await drive(hub, 'the stop', () => anchor.isClosed);
    expect(await pinger.ended()).toContain('oneclock: exit 1');
    const { status, stderr } = await calendar.ended;
    expect(stderr).toContain('of segment 0 left: it hangs: an interrupt is not acknowledged for 2 s');
    expect(stderr).toMatch(/\(identity 2\) left at \d+\.\d+: it hangs: no message for 2 s/);
    expect(status).toBe(3);
  });
});
