// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { type Hub, type Listener, mapShared } from '../../host/native/index.js';
import { after, type Domain, type Duration, EventKind } from '../calendar/index.js';
import { processDescriptors, VhostUserSession, VirtioNet } from '../devices/index.js';

interface Station {
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
  /** Something has come up in the domain while nobody ran. */
  poke(): void;
  report(text: string): void;
}

/** An Ethernet segment: every front-end that connects is a station, and hears what the others send. */
export class Segment {
  readonly #listener: Listener;
  readonly #stations = new Set<Station>();
  #connections = 0;
  #sequence = 0;

  constructor(
    private readonly hub: Hub,
    private readonly domain: Domain,
    private readonly options: SegmentOptions,
  ) {
    this.#listener = hub.listen(options.path, (descriptor) => this.#connect(descriptor));
  }

  close(): void {
    this.#listener.close();
    for (const { session } of this.#stations) session.close();
    this.#stations.clear();
  }

  #connect(descriptor: number): void {
    const { index, report, poke } = this.options;
    const number = this.#connections++;
    const name = `station ${number} of segment ${index}`;
    const leave = (text: string) => {
      this.#stations.delete(station);
      report(`${name} left: ${text}`);
    };
    const net: VirtioNet = new VirtioNet(
      { name, mac: this.#mac(number) },
      { transmit: (frame) => this.#flood(station, frame) },
    );
    const session: VhostUserSession = new VhostUserSession(
      { hub: this.hub, mapShared, descriptors: processDescriptors },
      descriptor,
      net,
      {
        raise: (line) => {
          this.domain.raise(number, { deliver: (done) => session.deliver(line, () => done()) });
          poke();
        },
        onClosed: leave,
        onFailed: (error) => leave(error.message),
      },
    );
    const station: Station = { net, session };
    this.#stations.add(station);
  }

  #flood(from: Station, frame: Uint8Array): void {
    const at = after(this.domain.now, this.options.delay);
    this.domain.post(this.domain, {
      at,
      kind: EventKind.FRAME,
      source: this.options.index,
      sequence: this.#sequence++,
      apply: () => {
        for (const station of this.#stations) if (station !== from) station.net.receive(frame);
      },
    });
    this.options.poke();
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
