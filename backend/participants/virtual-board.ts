// SPDX-License-Identifier: MIT
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Hub, mapShared } from '../../host/native/index.js';
import { umlArguments } from '../../host/uml/command-line.js';
import { AgentDecoder, type FromGuest } from '../../protocols/agent/index.js';
import {
  AGENT_PORT,
  CONFIG_LINE,
  CONSOLE_PORT,
  processDescriptors,
  RELAY_PORT,
  VhostUserDeviceServer,
  VirtioConsole,
  type VirtioDevice,
} from '../devices/index.js';
import { OneclockError } from '../errors.js';
import { Relay } from './relay.js';
import { deviceSocket, ENDING_MS, INITRAMFS, UmlProcess } from './uml-process.js';

export interface VirtualBoardOptions {
  readonly name: string;
  /** The board's own folder, where {@link INITRAMFS} is: that of `describeBoard` in guest/board.ts. */
  readonly folder: string;
  readonly kernel: string;
  /** Bytes. */
  readonly memory: number;
  /** Network cards and GPIO; the console is the board's own. */
  readonly devices: readonly VirtioDevice[];
}

/** What a virtual board tells the run. */
export interface VirtualBoardOwner {
  /** Its kernel or its agent has written to the console. */
  console?(bytes: Uint8Array): void;
  /** It takes no part any more. Called at most once. */
  failed(error: OneclockError): void;
}

/**
 * A User-Mode Linux guest in real time that stands for a board: a process, and the sockets of its devices. Whoever polls
 * the hub serves it.
 */
export class VirtualBoard {
  readonly name: string;
  readonly #console: VirtioConsole;
  readonly #relay: Relay;
  readonly #agent: AgentDecoder;
  readonly #devices: readonly VirtioDevice[];
  readonly #servers: readonly VhostUserDeviceServer[];
  readonly #process: UmlProcess;
  /** Its init is done, and what it says it says on its console. */
  #ready = false;
  #failure: OneclockError | undefined;
  #ending: NodeJS.Timeout | undefined;
  #killed = false;
  #closed = false;

  constructor(
    private readonly options: VirtualBoardOptions,
    private readonly owner: VirtualBoardOwner,
    hub: Hub,
  ) {
    const { name, folder } = options;
    this.name = name;
    this.#console = new VirtioConsole(
      { name: `console of ${name}`, relay: true },
      {
        output: (port, bytes) => this.#output(port, bytes),
        opened: (port, open) => {
          if (port === RELAY_PORT && !open) this.#relay.lost();
        },
      },
    );
    this.#relay = new Relay((bytes) => this.#console.input(RELAY_PORT, bytes));
    this.#agent = new AgentDecoder(name);
    this.#devices = [this.#console, ...options.devices];
    this.#process = new UmlProcess(hub, (how) => this.#exited(how));
    this.#servers = this.#devices.map((device, place) => {
      const server: VhostUserDeviceServer = new VhostUserDeviceServer(
        { hub, mapShared, descriptors: processDescriptors },
        join(folder, deviceSocket(place)),
        device,
        {
          raise: interruptAtOnce((line, done) => server.deliver(line, done)),
          onClosed: (reason) => this.#failSoon(`${device.name} was closed (${reason})`),
          onFailed: (error) => this.#fail(error),
        },
        { inBand: false },
      );
      return server;
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What its process had used when it ended before {@link close}. */
  get endedCpuMs(): number | undefined {
    return this.#process.endedCpuMs;
  }

  /** Whether its process was started and has not been seen to end. */
  get alive(): boolean {
    return this.#process.alive;
  }

  /** Starts its process. @throws OneclockError `MACHINE` */
  start(): void {
    const { folder, kernel, memory } = this.options;
    const devices = this.#devices.map(({ type }, place) => ({ socket: deviceSocket(place), type }));
    this.#process.start(kernel, umlArguments({ memory, initramfs: INITRAMFS, devices }), folder);
  }

  /** The label of the GPIO chip that `device` is to the board's kernel: the name of the virtio device. */
  chipLabel(device: VirtioDevice): string {
    return `virtio${this.#devices.indexOf(device)}`;
  }

  /**
   * Connects to its agent, which may still be on its way: what is written waits for it. The connection before this one
   * is destroyed.
   */
  dial(): Duplex {
    const connection = this.#relay.dial();
    if (this.#closed) connection.destroy(new Error('it is gone'));
    return connection;
  }

  /** Kills the process and closes the sockets; nothing is reported any more. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#ending);
    this.#process.kill();
    this.#process.close();
    for (const server of this.#servers) server.close();
    this.#relay.lost();
  }

  #output(port: number, bytes: Uint8Array): void {
    if (port === CONSOLE_PORT) this.owner.console?.(bytes);
    else if (port === RELAY_PORT) this.#relay.take(bytes);
    else if (port === AGENT_PORT) for (const message of this.#agent.push(bytes)) this.#reported(message);
  }

  #reported(message: FromGuest): void {
    if (message.type === 'ready') this.#ready = true;
    else this.#fail(new OneclockError('PARTICIPANT', endText(message)));
  }

  /** Ends its process; `error` is reported when that has happened. */
  #fail(error: OneclockError): void {
    if (this.#failure || this.#closed) return;
    this.#failure = error;
    if (this.alive) this.#kill();
    else this.#report();
  }

  /** It seems to be ending: `what` is reported where its process goes on all the same, else how that ends. */
  #failSoon(what: string): void {
    if (this.#failure || this.#closed) return;
    this.#failure = new OneclockError('PARTICIPANT', what);
    if (this.alive) this.#ending = setTimeout(() => this.#kill(), ENDING_MS);
    else this.#report();
  }

  #kill(): void {
    this.#killed = true;
    this.#process.kill();
  }

  #exited(how: string): void {
    // It ended by itself; that a socket was closed then was only the first sign of it.
    if (!this.#killed) this.#failure = new OneclockError('PARTICIPANT', `its process ended ${how}`);
    this.#report();
  }

  #report(): void {
    const failure = this.#failure;
    if (!failure || this.#closed) return;
    const words = this.#process.lastLine(!this.#ready);
    this.close();
    const told = words === undefined ? failure.message : `${failure.message}; it said: ${words}`;
    this.owner.failed(new OneclockError(failure.code, told, { cause: failure }));
  }
}

function endText(message: Exclude<FromGuest, { type: 'ready' }>): string {
  if (message.type === 'failed') return `its init failed: ${message.text}`;
  if (message.type !== 'exited' && message.type !== 'signalled') return `its init sent ${message.type}`;
  const how = message.type === 'exited' ? `with exit code ${message.code}` : `by signal ${message.signal}`;
  return `its agent ended ${how}`;
}

/**
 * Delivers interrupts when they come: a guest in real time may always be disturbed. A change of the configuration is
 * acknowledged, and one that comes before that is told with the next.
 */
function interruptAtOnce(deliver: (line: number, done: () => void) => void): (line: number) => void {
  let telling = false;
  let again = false;
  const tell = () => {
    telling = true;
    again = false;
    deliver(CONFIG_LINE, () => {
      telling = false;
      if (again) tell();
    });
  };
  return (line) => {
    if (line !== CONFIG_LINE) deliver(line, () => undefined);
    else if (telling) again = true;
    else tell();
  };
}
