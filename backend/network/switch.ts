// SPDX-License-Identifier: MIT
import { type Duration, duration, type Instant, ZERO } from '../calendar/time.js';
import { invariant } from '../errors.js';

/** Addresses that a switch remembers. */
export const TABLE_SIZE = 4096;
/** How long an address is remembered after it was last heard: the default that IEEE 802.1Q, 8.8.3 recommends. */
export const AGEING_TIME: Duration = duration(300_000_000_000n);

const HEADER_SIZE = 14;
const GROUP_BIT = 0x01;
const NOWHERE: readonly number[] = Object.freeze([]);

interface Station {
  port: number;
  heard: Instant;
}

/**
 * Decides where a frame goes: a transparent learning bridge as in IEEE 802.1Q, clauses 8.6 to 8.8, without VLANs,
 * spanning tree or addresses reserved for bridges. How long a frame takes is the business of the cables.
 *
 * A station that was heard less than {@link AGEING_TIME} ago gets its frames at one port; unknown and group
 * addresses go to every port but the one they came from. When the table is full, the station that was heard
 * longest ago gives way.
 */
export class LearningSwitch {
  /** By address as a 48-bit number, in the order in which the stations were last heard. */
  private readonly stations = new Map<number, Station>();
  private newest: Station | undefined;
  private now = ZERO;
  private readonly single: readonly (readonly number[])[];
  private readonly others: readonly (readonly number[])[];

  /** @param ports how many: they are numbered 0 … ports-1 */
  constructor(
    readonly ports: number,
    private readonly tableSize = TABLE_SIZE,
  ) {
    invariant(Number.isInteger(ports) && ports > 0, () => `a switch needs ports; found ${ports}`);
    invariant(Number.isInteger(tableSize) && tableSize > 0, () => `an address table of size ${tableSize}`);
    const all = Array.from({ length: ports }, (_, port) => port);
    this.single = all.map((port) => Object.freeze([port]));
    this.others = all.map((port) => Object.freeze(all.filter((other) => other !== port)));
  }

  /** Addresses in the table, with those that have aged but were not looked up since. */
  get tableLength(): number {
    return this.stations.size;
  }

  /**
   * A frame has come in.
   *
   * @param ingress the port that it came from
   * @param frame from the destination address on; one that is shorter than an Ethernet header goes nowhere
   * @param at not before the instant of any earlier call
   * @returns the ports that it leaves by, ascending, never `ingress`; the array is the switch's own
   * @throws OneclockError INTERNAL where time runs backward or the port does not exist
   */
  forward(ingress: number, frame: Uint8Array, at: Instant): readonly number[] {
    const from = this.now;
    invariant(
      at >= from,
      () => `time ran backward on a switch: a frame at ${at}ns came after one at ${from}ns`,
    );
    this.now = at;
    const flood = this.others[ingress];
    invariant(
      flood !== undefined,
      () => `a frame came from port ${ingress} of a switch with ports 0 … ${this.ports - 1}`,
    );
    if (frame.length < HEADER_SIZE) return NOWHERE;
    if (!isGroup(frame, 6)) this.learn(addressAt(frame, 6), ingress, at);
    if (isGroup(frame, 0)) return flood;
    const egress = this.locate(addressAt(frame, 0), at);
    if (egress === undefined) return flood;
    return egress === ingress ? NOWHERE : (this.single[egress] ?? NOWHERE);
  }

  /** Forgets the stations behind a port. */
  forget(port: number): void {
    for (const [address, station] of this.stations) {
      if (station.port === port) this.stations.delete(address);
    }
    this.newest = undefined;
  }

  private learn(address: number, port: number, at: Instant): void {
    const known = this.stations.get(address);
    const station = known ?? { port, heard: at };
    station.port = port;
    station.heard = at;
    if (known !== undefined && known === this.newest) return;
    if (known !== undefined) this.stations.delete(address);
    else if (this.stations.size >= this.tableSize) this.forgetOldest();
    this.stations.set(address, station);
    this.newest = station;
  }

  private forgetOldest(): void {
    for (const address of this.stations.keys()) {
      this.stations.delete(address);
      return;
    }
  }

  private locate(address: number, at: Instant): number | undefined {
    const station = this.stations.get(address);
    if (station === undefined) return undefined;
    if (at - station.heard < AGEING_TIME) return station.port;
    this.stations.delete(address);
    return undefined;
  }
}

function isGroup(frame: Uint8Array, offset: number): boolean {
  return ((frame[offset] ?? 0) & GROUP_BIT) !== 0;
}

/** The address as a number; its 48 bits are exact. */
function addressAt(frame: Uint8Array, offset: number): number {
  const high = ((frame[offset] ?? 0) << 16) | ((frame[offset + 1] ?? 0) << 8) | (frame[offset + 2] ?? 0);
  const low = ((frame[offset + 3] ?? 0) << 16) | ((frame[offset + 4] ?? 0) << 8) | (frame[offset + 5] ?? 0);
  return high * 0x100_0000 + low;
}
