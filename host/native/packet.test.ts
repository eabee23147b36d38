// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { NativeHub } from './index.js';

const ip = (...args: readonly string[]) => spawnSync('ip', args, { encoding: 'utf8' });

/** The ends of a cable between two interfaces of this machine. */
const ENDS = [`oc${process.pid}a`, `oc${process.pid}b`] as const;
const [A, B] = ENDS;
const LIMIT_MS = 5_000;

/** Makes the cable. @returns what keeps it from being made */
function plug(): string | undefined {
  const made = ip('link', 'add', A, 'address', '02:00:00:00:00:0a', 'type', 'veth', 'peer', 'name', B);
  if (made.error) return made.error.message;
  return made.status === 0 ? undefined : made.stderr.trim();
}

const missing = plug();
if (missing === undefined) ip('link', 'del', A);

/** Of a protocol for experiments, since the kernel may have something to say there as well. */
function frame(length: number, tag: readonly number[] = []): Uint8Array {
  const addresses = [2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa];
  const head = [...addresses, ...tag, 0x88, 0xb5];
  return Uint8Array.from({ length }, (_, place) => head[place] ?? place & 0xff);
}

/** One end of the cable, and what it hears of frames as above. */
function end(hub: NativeHub, name: string) {
  const heard: Uint8Array[] = [];
  const closed: string[] = [];
  const channel = hub.openPacket(name, {
    onFrame: (bytes) => {
      const type = bytes[12] === 0x81 ? 16 : 12;
      if (bytes[type] === 0x88 && bytes[type + 1] === 0xb5) heard.push(bytes.slice());
    },
    onLost: () => undefined,
    onClose: (reason) => closed.push(reason),
  });
  return { channel, heard, closed };
}

/** Serves `hub` until `holds`, which the kernel brings about in its own time. */
function serveUntil(hub: NativeHub, holds: () => boolean): void {
  const deadline = performance.now() + LIMIT_MS;
  while (!holds() && performance.now() < deadline) hub.poll(20);
}

/** Whether frames that are given to it go out: the kernel sees to that a while after it was set up. */
function isUp(name: string): boolean {
  return readFileSync(`/sys/class/net/${name}/operstate`, 'utf8') === 'up\n';
}

test.skipIf(missing !== undefined)(
  `frames go out and come in whole${missing === undefined ? '' : ` (no veth here: ${missing})`}`,
  () => {
    expect(plug()).toBeUndefined();
    onTestFinished(() => {
      ip('link', 'del', A);
    });
    const hub = new NativeHub();
    onTestFinished(() => hub.close());
    expect(() => end(hub, A)).toThrow(`the network interface ${A} is down: run "ip link set ${A} up"`);
    for (const name of ENDS) ip('link', 'set', name, 'up');
    serveUntil(hub, () => ENDS.every(isUp));
    const [a, b] = [end(hub, A), end(hub, B)];
    const short = frame(60);
    const long = frame(1514);
    const tagged = frame(1518, [0x81, 0x00, 0x20, 0x07]);
    for (const each of [short, long, tagged]) expect(a.channel.send(each)).toBe(true);
    serveUntil(hub, () => b.heard.length >= 3);
    expect(b.heard).toEqual([short, long, tagged]);
    // Nobody hears what he says himself.
    expect(a.heard).toEqual([]);
    expect(a.channel.send(frame(1515))).toBe(false);
    expect(b.channel.missed()).toBe(0);

    b.channel.close();
    b.channel.close();
    expect(b.channel.send(short)).toBe(false);
    expect(a.channel.send(short)).toBe(true);

    ip('link', 'set', A, 'down');
    serveUntil(hub, () => a.closed.length > 0);
    // It would have heard the last frame by now.
    expect(b.heard).toHaveLength(3);
    expect(a.closed).toEqual(['ENETDOWN (errno 100)']);
  },
);

test('an interface that is not there, or none of Ethernet, is refused', (context) => {
  context.skip(process.getuid?.() !== 0, 'packet sockets are for root');
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  expect(() => end(hub, 'no-such')).toThrow(
    'this machine has no network interface no-such: "ip link" shows which there are',
  );
  expect(() => end(hub, 'lo')).toThrow('the network interface lo is none of Ethernet: take another one');
});
