// SPDX-License-Identifier: MIT
import { describe, expect, onTestFinished, test } from 'vitest';
import { NativeHub } from '../host/native/index.js';
import { DeviceType } from '../protocols/virtio/index.js';
import { ForeignCalendar } from './support/foreign-calendar.js';
import { ForeignClient } from './support/foreign-client.js';
import { drive } from './support/foreign-drive.js';
import { Qemu, qemuMissing } from './support/foreign-qemu.js';

const MS = 1_000_000n;
const NET = [{ socket: 'net', type: DeviceType.NET }];
const UP = 'ip link set eth0 up && ip addr add 10.0.0.1/24 dev eth0';
/** Gives out addresses, until somebody tells it to stop. */
const DHCP_SERVER = `${UP} && mkdir -p /var/lib/misc /var/run && touch /var/lib/misc/udhcpd.leases &&
printf 'start 10.0.0.50\\nend 10.0.0.59\\nmax_leases 10\\ninterface eth0\\noption subnet 255.255.255.0\\n' > /tmp/c && udhcpd -f /tmp/c`;

const LEFT = 'of segment 0 left: the peer closed the connection';
const skipped = qemuMissing === '' ? '' : ` (skipped: needs the packages ${qemuMissing})`;

/** A calendar whose time goes with the wall's, more or less, which is what QEMU's guest lives by. */
async function realTime(): Promise<{ calendar: ForeignCalendar; serve<T>(what: Promise<T>): Promise<T> }> {
  const calendar = new ForeignCalendar(['--net', 'net', '--clients', '2', '--net-delay', '1ms']);
  await calendar.ready();
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  new ForeignClient(hub, calendar.path('time'), {
    identity: 1n,
    started: (client) => client.sleepUntil(10n * MS),
    run: (client, at) => {
      setTimeout(() => client.sleepUntil(at + 10n * MS), 5);
    },
  });
  return {
    calendar,
    async serve(what) {
      let done = false;
      const mark = () => {
        done = true;
      };
      what.then(mark, mark);
      await drive(hub, 'what QEMU is to do', () => done, 100_000);
      return await what;
    },
  };
}

describe.skipIf(qemuMissing !== '')(`QEMU on a segment${skipped}`, () => {
  test('is refused queues that are not there, and gets an address from a guest; so does the next one', async () => {
    const { calendar, serve } = await realTime();
    const guest = calendar.guest({ place: 1, run: DHCP_SERVER, devices: NET });
    await serve(calendar.said('(identity 1) starts', 2));
    const greedy = new Qemu(calendar.path('net'), 2);
    expect(await serve(greedy.wrote(/more queues than supported: \d+/))).toContain('supported: 1');
    await serve(greedy.quit());
    for (const asked of [1, 2]) {
      const left = calendar.count(LEFT);
      const qemu = new Qemu(calendar.path('net'));
      const address = await serve(qemu.wrote(/net0: 10\.0\.0\.\d+\/255\.255\.255\.0/));
      expect(address).toMatch(/10\.0\.0\.5\d/);
      expect(guest.console.match(/sending ACK/g)).toHaveLength(asked);
      await serve(qemu.quit());
      await serve(calendar.said(LEFT, left + 1));
    }
    guest.kill();
    calendar.interrupt();
    expect(await serve(calendar.ended)).toMatchObject({ status: 130 });
    expect(calendar.files).toEqual([]);
  }, 300_000);
});
