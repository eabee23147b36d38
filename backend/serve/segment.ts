// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { type Hub, type Listener, mapShared } from '../../host/native/index.js';
import { after, type Domain, type Duration, EventKind, type Instant } from '../calendar/index.js';
import { processDescriptors, VhostUserSession, VirtioNet } from '../devices/index.js';

interface Station {
  readonly name: string;
  readonly net: VirtioNet;
  readonly session: VhostUserSession;
}

export interface SegmentOptions {
  readonly path: string;
  /** Its place among the segments. */
  readonly index: number;
  readonly delay: Duration;
  /** What the MAC addresses come from. */
  readonly seed: bigint;
}

export interface SegmentOwner {
  /** When something happens that a station does now; `exact` where it stands still meanwhile. */
  stamp(exact: boolean): Instant;
  /** Calls `answer` when a client that waits in a kick may go on. */
  settle(answer: () => void): void;
  /** Something has come up in the domain. */
  poke(): void;
  report(text: string, fault: boolean): void;
}

/** An Ethernet segment: every front-end that connects is a station, and hears what the others send. */
export class Segment {
  readonly #listener: Listener;
  readonly #stations = new Set<Station>();
  #connections = 0;
  #sequence = 0;
  /** The interrupt that waits for its acknowledgement; there is one at most (rule T4). */
  #delivery: { readonly station: Station; readonly since: number } | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly domain: Domain,
    private readonly options: SegmentOptions,
    private readonly owner: SegmentOwner,
  ) {
    this.#listener = hub.listen(options.path, (descriptor) => this.#connect(descriptor));
  }

  /** Parts with a station that has not acknowledged its interrupt for `limitMs` of wall time. */
  checkHang(limitMs: number): void {
    const delivery = this.#delivery;
    if (!delivery || performance.now() - delivery.since < limitMs) return;
    const { station } = delivery;
    this.#leave(station, `it hangs: an interrupt is not acknowledged for ${limitMs / 1000} s`, true);
    station.session.close();
  }

  close(): void {
    this.#listener.close();
    for (const { session } of this.#stations) session.close();
    this.#stations.clear();
  }

  #connect(descriptor: number): void {
    const number = this.#connections++;
    const name = `station ${number} of segment ${this.options.index}`;
    const net: VirtioNet = new VirtioNet(
      { name, mac: this.#mac(number) },
      { transmit: (frame) => this.#flood(station, frame) },
    );
    const session: VhostUserSession = new VhostUserSession(
      { hub: this.hub, mapShared, descriptors: processDescriptors },
      descriptor,
      net,
      {
        raise: (line) => this.#raise(number, station, line),
        settle: (answer) => this.owner.settle(answer),
        onClosed: (reason) => this.#leave(station, reason, false),
        onFailed: (error) => this.#leave(station, error.message, true),
      },
    );
    const station: Station = { name, net, session };
    this.#stations.add(station);
  }

  #leave(station: Station, text: string, fault: boolean): void {
    if (this.#stations.delete(station)) this.owner.report(`${station.name} left: ${text}`, fault);
  }

  /** A front-end that is told by descriptor, such as QEMU, keeps no virtual time: nobody has to wait for it. */
  #raise(number: number, station: Station, line: number): void {
    const { session } = station;
    if (!session.inBand) {
      session.deliver(line, () => undefined);
      return;
    }
    this.domain.raise(number, {
      participant: undefined,
      deliver: (done) => {
        this.#delivery = { station, since: performance.now() };
        session.deliver(line, () => {
          this.#delivery = undefined;
          done();
        });
      },
    });
    this.owner.poke();
  }

  #flood(from: Station, frame: Uint8Array): void {
    this.domain.post(this.domain, {
      at: after(this.owner.stamp(from.session.inBand), this.options.delay),
      kind: EventKind.FRAME,
      source: this.options.index,
      sequence: this.#sequence++,
      apply: () => {
        for (const station of [...this.#stations]) if (station !== from) station.net.receive(frame);
      },
    });
    this.owner.poke();
  }

  /** A locally administered address, the same for the same seed, segment and order of connections. */
  #mac(number: number): Uint8Array {
    const { seed, index } = this.options;
    const mac = createHash('sha256')
      .update(`oneclock station ${seed} ${index} ${number}`)
      .digest()
      .subarray(0, 6);
    mac[0] = ((mac[0] as number) & 0xfc) | 0x02;
    return Uint8Array.from(mac);
  }
}
