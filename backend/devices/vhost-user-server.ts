// SPDX-License-Identifier: MIT
import type { Listener } from '../../host/native/hub.js';
import type { Delivered } from './backend-channel.js';
import type { SessionEvents, SessionOptions, VhostUserHost } from './vhost-user-host.js';
import { VhostUserSession } from './vhost-user-session.js';
import type { VirtioDevice } from './virtio-device.js';

/** What a device's server tells: of its sessions, one after the other, and of who was turned away. */
export interface ServerEvents extends SessionEvents {
  onConnected?(): void;
  /** A second front-end came while one is there. */
  onRefused?(): void;
}

/** Serves `device` on a Unix socket, to one front-end at a time. After a session ends, another may come. */
export class VhostUserDeviceServer {
  readonly device: VirtioDevice;
  readonly #host: VhostUserHost;
  readonly #events: ServerEvents;
  readonly #options: SessionOptions;
  readonly #listener: Listener;
  #session: VhostUserSession | undefined;

  constructor(
    host: VhostUserHost,
    path: string,
    device: VirtioDevice,
    events: ServerEvents,
    options: SessionOptions = {},
  ) {
    this.device = device;
    this.#host = host;
    this.#events = events;
    this.#options = options;
    this.#listener = host.hub.listen(path, (descriptor) => this.#accept(descriptor));
  }

  /** The session, while a front-end is connected. */
  get session(): VhostUserSession | undefined {
    return this.#session;
  }

  /** {@link VhostUserSession.deliver} of the session there is; `done(false)` where there is none. */
  deliver(line: number, done: Delivered): void {
    if (this.#session) this.#session.deliver(line, done);
    else done(false);
  }

  /** {@link VhostUserSession.kicked} of the session there is. @returns whether there is one */
  kicked(index: number, available: number): boolean {
    this.#session?.kicked(index, available);
    return this.#session !== undefined;
  }

  /** Ends the session, without an event, and stops listening. */
  close(): void {
    this.#listener.close();
    this.#session?.close();
    this.#session = undefined;
  }

  #accept(descriptor: number): void {
    if (this.#session) {
      this.#host.descriptors.close(descriptor);
      this.#events.onRefused?.();
      return;
    }
    const events: SessionEvents = {
      raise: (line) => this.#events.raise(line),
      kicking: () => this.#events.kicking?.(),
      call: (line) => this.#events.call?.(line) ?? false,
      settle: (answer) => (this.#events.settle ? this.#events.settle(answer) : answer()),
      onClosed: (reason) => {
        this.#session = undefined;
        this.#events.onClosed(reason);
      },
      onFailed: (error) => {
        this.#session = undefined;
        this.#events.onFailed(error);
      },
    };
    this.#session = new VhostUserSession(this.#host, descriptor, this.device, events, this.#options);
    this.#events.onConnected?.();
  }
}
