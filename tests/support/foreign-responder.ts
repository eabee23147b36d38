// SPDX-License-Identifier: MIT
import { processDescriptors, VhostUserDeviceServer, VirtioNet } from '../../backend/devices/index.js';
import { type Hub, mapShared } from '../../host/native/index.js';
import { ForeignClient } from './foreign-client.js';
import { answer } from './foreign-packets.js';

export interface ResponderOptions {
  readonly hub: Hub;
  /** The calendar's time socket. */
  readonly time: string;
  /** Where its device listens. */
  readonly path: string;
  readonly identity: bigint;
  readonly shares: boolean;
  /** IPv4 address that it answers for. */
  readonly address: readonly number[];
  /** Nanoseconds it takes over an answer. */
  readonly workNs: bigint;
}

interface Job {
  readonly at: bigint;
  readonly frame: Uint8Array;
}

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 99);

/**
 * A device simulator with no delay of its own towards its guest: a network card with a machine behind it that
 * answers pings. It is a time client, and serves its device itself; the calendar sees nothing of it but its times.
 */
export class Responder {
  readonly client: ForeignClient;
  readonly #net: VirtioNet;
  readonly #server: VhostUserDeviceServer;
  readonly #jobs: Job[] = [];
  /** Answers to kicks that wait until the calendar knows of a request. */
  #asking = 0;
  #held: (() => void)[] = [];
  #raised: number[] = [];
  #answering = false;
  fault: string | undefined;

  constructor(private readonly options: ResponderOptions) {
    const { hub, time, path, identity, shares } = options;
    this.#net = new VirtioNet(
      { name: 'responder', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) },
      { transmit: (frame) => this.#onFrame(Uint8Array.from(frame)) },
    );
    this.#server = new VhostUserDeviceServer(
      { hub, mapShared, descriptors: processDescriptors },
      path,
      this.#net,
      {
        raise: (line) => {
          this.#raised.push(line);
        },
        settle: (go) => {
          if (this.#asking === 0) go();
          else this.#held.push(go);
        },
        onClosed: () => undefined,
        onFailed: (error) => {
          this.fault = error.message;
        },
      },
    );
    this.client = new ForeignClient(hub, time, {
      identity,
      shares,
      started: (client) => client.wait(),
      run: (_client, at) => this.#onRun(at),
    });
  }

  close(): void {
    this.#server.close();
    this.client.close();
  }

  /** The guest stands still in its kick, and the time with it. */
  #onFrame(frame: Uint8Array): void {
    const { address, workNs } = this.options;
    const reply = answer(frame, MAC, address);
    if (!reply) return;
    this.#asking++;
    this.client.get((now) => {
      this.#jobs.push({ at: now + workNs, frame: reply });
      this.client.request((this.#jobs[0] as Job).at, () => {
        if (--this.#asking > 0) return;
        const held = this.#held;
        this.#held = [];
        for (const go of held) go();
      });
    });
  }

  #onRun(at: bigint): void {
    const [job] = this.#jobs;
    if (job && job.at > at) this.fault = `it runs at ${at}, before ${job.at}`;
    while (this.#jobs[0] && this.#jobs[0].at <= at) {
      const { at: due, frame } = this.#jobs.shift() as Job;
      if (due !== at) this.fault = `it runs at ${at}, after ${due}`;
      this.#net.receive(frame);
    }
    this.#interrupt();
  }

  /** Interrupts the guest, and is quiet when the guest has heard. */
  #interrupt(): void {
    if (this.#answering) return;
    const line = this.#raised.shift();
    if (line !== undefined) {
      this.#answering = true;
      this.#server.deliver(line, () => {
        this.#answering = false;
        this.#interrupt();
      });
      return;
    }
    const [next] = this.#jobs;
    if (next) this.client.sleepUntil(next.at);
    else this.client.wait();
  }
}
