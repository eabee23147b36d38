// SPDX-License-Identifier: MIT

/** So many fit in the addresses below. */
export const MAX_GUESTS = 254 * 254;

const address = (guest: number) => `10.0.${Math.floor((guest - 1) / 254)}.${((guest - 1) % 254) + 1}`;

/**
 * The text of a topology of guests on one switch. The first `active` of them ping their neighbours, the last of these
 * the first; the others have booted and have nothing to do.
 */
export function scaleTopology(guests: number, active: number, pings: number): string {
  const places = Array.from({ length: guests }, (_, index) => index + 1);
  const node = (guest: number) => ({
    kind: 'uml',
    memory: '24M',
    interfaces: { eth0: { address: `${address(guest)}/16` } },
    ...(guest <= active ? { run: `ping -q -c ${pings} -i 0.01 ${address((guest % active) + 1)}` } : {}),
  });
  const topology = {
    name: `scale-${guests}`,
    seed: 1,
    until: '1000s',
    nodes: Object.fromEntries(places.map((guest) => [`n${guest}`, node(guest)])),
    switches: [
      { name: 'lan', ports: places.map((guest) => `n${guest}.eth0`), latency: '100us', rate: '1gbit' },
    ],
  };
  // YAML holds JSON.
  return JSON.stringify(topology);
}
