// SPDX-License-Identifier: MIT
import { Network } from '../backend/run/network.js';
import { Machine } from '../host/kvm/index.js';

/** A virtual second: whatever starts has started by then. */
const LATE = 1_000_000_000n;
const ETHERTYPE = 12;
const IPV4 = 0x0800;

/** A part of a run. */
export interface Span {
  readonly wallMs: number;
  /** Of all KVM guests; 0 where there are none. */
  readonly exits: number;
  /** How many of those JavaScript has seen. */
  readonly seen: number;
}

export interface Watched {
  /** Of all KVM guests that have ended. */
  readonly exits: number;
  /** From the first frame with an IPv4 packet to the last; null where there are none. */
  readonly traffic: Span | null;
  /** From the first time that a KVM guest is run after a virtual second, to the last guest's end. */
  readonly late: Span | null;
}

/**
 * Looks at the guests of whatever `action` runs in this process. The methods that it listens at are their own again
 * afterwards: a run that nobody watches has nothing of this in its way.
 */
export async function watchGuests<T>(action: () => Promise<T>): Promise<[T, Watched]> {
  const [machine, network] = [Machine.prototype, Network.prototype];
  const { run, stop } = machine;
  const { transmit } = network;
  const machines = new Set<Machine>();
  const mark = (): Span => ({
    wallMs: performance.now(),
    exits: [...machines].reduce((sum, { exits }) => sum + Number(exits), 0),
    seen: [...machines].reduce((sum, { seenExits }) => sum + seenExits, 0),
  });
  const traffic: Span[] = [];
  const late: Span[] = [];
  machine.run = function (this: Machine, at, until) {
    machines.add(this);
    if (at >= LATE && late.length === 0) late[0] = mark();
    run.call(this, at, until);
  };
  machine.stop = function (this: Machine) {
    if (late.length > 0) late[1] = mark();
    stop.call(this);
  };
  network.transmit = function (this: Network, from, bytes) {
    const type = ((bytes[ETHERTYPE] as number) << 8) | (bytes[ETHERTYPE + 1] as number);
    if (type === IPV4) traffic[Math.min(traffic.length, 1)] = mark();
    transmit.call(this, from, bytes);
  };
  try {
    const result = await action();
    return [result, { exits: mark().exits, traffic: span(traffic), late: span(late) }];
  } finally {
    Object.assign(machine, { run, stop });
    network.transmit = transmit;
  }
}

function span([from, to]: readonly Span[]): Span | null {
  if (!from || !to) return null;
  return { wallMs: to.wallMs - from.wallMs, exits: to.exits - from.exits, seen: to.seen - from.seen };
}
