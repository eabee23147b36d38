// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { duration, type Instant, instant } from '../calendar/time.js';
import type { LinkSpec, SwitchSpec } from '../topology/model.js';
import type { Cable } from './cable.js';
import { linkCables, switchCables } from './cable-pairs.js';

const CABLE = {
  latency: duration(1_000_000n),
  rate: 10_000_000n,
  loss: 500_000_000,
  jitter: duration(10n),
  queue: 5,
};
const END = (node: string) => ({ node, interface: 'eth0' });
const LINK: LinkSpec = { ...CABLE, name: 'ab', between: [END('a'), END('b')] };
const SWITCH: SwitchSpec = { ...CABLE, name: 'lan', ports: [END('a'), END('b'), END('c')] };

/** Which of 64 frames, far apart, are lost. */
function luck(cable: Cable): string {
  const fates = Array.from({ length: 64 }, (_, i) => cable.send(instant(BigInt(i) * 10n ** 9n), 100).fate);
  return fates.map((fate) => (fate === 'lost' ? 'x' : '.')).join('');
}

test('both directions of a link have the spec and a luck of their own', () => {
  const [there, back] = linkCables(LINK, 1n);
  expect([there.spec, back.spec]).toEqual([LINK, LINK]);
  const [a, b] = [luck(there), luck(back)];
  expect(a).not.toBe(b);
  expect(linkCables(LINK, 1n).map(luck)).toEqual([a, b]);
  expect(linkCables({ ...LINK, name: 'other' }, 1n).map(luck)).not.toEqual([a, b]);
  expect(linkCables(LINK, 2n).map(luck)).not.toEqual([a, b]);
});

test('the luck goes with the sending end, whichever is written first', () => {
  const turned: LinkSpec = { ...LINK, between: [LINK.between[1], LINK.between[0]] };
  expect(linkCables(turned, 1n).map(luck).reverse()).toEqual(linkCables(LINK, 1n).map(luck));
});

test('latency, loss and jitter of a switch count on the way in only', () => {
  const { ingress, egress } = switchCables(SWITCH, 1, 1n);
  expect(ingress.spec).toEqual(SWITCH);
  expect(egress.spec).toMatchObject({ rate: 10_000_000n, queue: 5, latency: 0n, loss: 0, jitter: 0n });
});

test('a frame through a switch: two serialisations, one latency', () => {
  const spec = { ...SWITCH, loss: 0, jitter: duration(0n) };
  const into = switchCables(spec, 0, 1n).ingress.send(instant(0n), 1250);
  if (into.fate !== 'delivered') throw new Error(into.fate);
  expect(into.arrives).toBe(2_000_000n);
  const out = switchCables(spec, 1, 1n).egress.send(into.arrives, 1250);
  expect(out).toEqual({ fate: 'delivered', starts: 2_000_000n as Instant, arrives: 3_000_000n as Instant });
});

test('the luck of a port depends on its end, not on the other ports', () => {
  const smaller = { ...SWITCH, ports: SWITCH.ports.slice(1) };
  expect(luck(switchCables(smaller, 0, 1n).ingress)).toBe(luck(switchCables(SWITCH, 1, 1n).ingress));
  expect(luck(switchCables(SWITCH, 0, 1n).ingress)).not.toBe(luck(switchCables(SWITCH, 1, 1n).ingress));
});

test('a port that does not exist', () => {
  expect(() => switchCables(SWITCH, 3, 1n)).toThrow('switch lan has ports 0 … 2; found 3');
});
