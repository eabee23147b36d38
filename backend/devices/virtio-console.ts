// SPDX-License-Identifier: MIT
// Not from the folder's index: the decoder there is no business of a device.
import { AGENT_PORT as AGENT_PORT_NAME } from '../../protocols/agent/constants.js';
import { RELAY_PORT as RELAY_PORT_NAME } from '../../protocols/relay/constants.js';
import {
  ConsoleConfig,
  ConsoleFeature,
  ConsoleQueue,
  DeviceType,
  Feature,
  featureBit,
  hasFeature,
  receiveQueueOf,
  transmitQueueOf,
} from '../../protocols/virtio/index.js';
import { ConsoleControl, type ConsolePortOptions } from './console-control.js';
import { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import { FrameArena } from './frame-arena.js';
import { PendingInput } from './pending-input.js';
import type { QueueRole, VirtioDevice, VirtioTransport } from './virtio-device.js';
import type { Virtqueue } from './virtqueue.js';

/** The console's port, `/dev/hvc0` in the guest. */
export const CONSOLE_PORT = 0;
/** The agent's port, found by its name. */
export const AGENT_PORT = 1;
/** The relay's port, found by its name; only where it is asked for. */
export const RELAY_PORT = 2;

/** The most input that waits for the guest to take it, for each port. */
export const MAX_PENDING_INPUT_BYTES = 1024 * 1024;
/** The longest control message that is looked at. */
const MAX_CONTROL_BYTES = 4096;

const PORTS: readonly ConsolePortOptions[] = [{ console: true }, { name: AGENT_PORT_NAME }];
const PORTS_WITH_RELAY: readonly ConsolePortOptions[] = [...PORTS, { name: RELAY_PORT_NAME }];

/** Where the guest's output goes. */
export interface ConsolePorts {
  /** The guest wrote `bytes` to `port`, a copy that is the receiver's. Called while the guest waits. */
  output(port: number, bytes: Uint8Array): void;
  /** The guest opened `port` or closed it. */
  opened?(port: number, open: boolean): void;
}

export interface ConsoleOptions {
  /** For errors and traces: `console of a`. */
  readonly name: string;
  /** Whether it has the port of a relay. */
  readonly relay?: boolean;
}

/**
 * A console device with ports (virtio 1.2, 5.3): port {@link CONSOLE_PORT} is the console, port
 * {@link AGENT_PORT} the agent's stream, port {@link RELAY_PORT} that of a virtual board's relay. A driver without
 * MULTIPORT has the console alone.
 *
 * Output raises no interrupt where the guest waits in its kick. That is safe with Linux
 * (drivers/char/virtio_console.c): a console write and a control message spin for their used buffer right after
 * the kick; a write to another port goes on, and the next write, poll or close takes the used buffers back
 * (`reclaim_consumed_buffers`) before it looks whether the queue is full, so that it never sleeps for one that
 * was used within the kick. The interrupt would only wake the guest (`out_intr` does nothing else).
 */
export class VirtioConsole implements VirtioDevice {
  readonly type = DeviceType.CONSOLE;
  readonly name: string;
  readonly features =
    featureBit(Feature.VERSION_1) |
    featureBit(Feature.RING_INDIRECT_DESC) |
    featureBit(Feature.RING_EVENT_IDX) |
    featureBit(ConsoleFeature.MULTIPORT);
  readonly queues: readonly QueueRole[];
  readonly config = new Uint8Array(ConsoleConfig.BYTES);
  readonly #ports: ConsolePorts;
  readonly #control: ConsoleControl;
  /** By port. */
  readonly #input: readonly PendingInput[];
  readonly #open: boolean[];
  /** By queue index: the port whose input or output it is; undefined for the control queues. */
  readonly #portOf: (number | undefined)[] = [];
  readonly #chain = new DescriptorChain();
  /** For what goes into the guest, which may happen while output is handled. */
  readonly #inputChain = new DescriptorChain();
  readonly #arena = new FrameArena();
  #transport: VirtioTransport | undefined;
  #multiport = false;

  constructor(options: ConsoleOptions, ports: ConsolePorts) {
    this.name = options.name;
    this.#ports = ports;
    const offered = options.relay === true ? PORTS_WITH_RELAY : PORTS;
    this.#input = offered.map(() => new PendingInput(MAX_PENDING_INPUT_BYTES));
    this.#open = offered.map(() => false);
    this.#control = new ConsoleControl(offered, (port, open) => this.#setOpen(port, open));
    new DataView(this.config.buffer).setUint32(ConsoleConfig.MAX_PORTS, offered.length, true);
    const queues: QueueRole[] = [];
    queues[ConsoleQueue.CONTROL_RECEIVE] = { name: 'control receive', fromDriver: false };
    queues[ConsoleQueue.CONTROL_TRANSMIT] = { name: 'control transmit', fromDriver: true };
    offered.forEach((_, port) => {
      this.#portOf[receiveQueueOf(port)] = this.#portOf[transmitQueueOf(port)] = port;
      queues[receiveQueueOf(port)] = { name: `port ${port} receive`, fromDriver: false };
      queues[transmitQueueOf(port)] = { name: `port ${port} transmit`, fromDriver: true };
    });
    this.queues = queues;
  }

  activate(transport: VirtioTransport, features: bigint): void {
    this.#transport = transport;
    this.#multiport = hasFeature(features, ConsoleFeature.MULTIPORT);
    if (!this.#multiport) this.#setOpen(CONSOLE_PORT, true);
  }

  reset(): void {
    this.#transport = undefined;
    this.#control.reset();
    for (const input of this.#input) input.clear();
    for (let port = 0; port < this.#open.length; port++) this.#setOpen(port, false);
  }

  notify(index: number): boolean {
    const transport = this.#transport;
    const queue = transport?.queue(index);
    if (!transport || !queue) return false;
    const port = this.#portOf[index];
    if (index === ConsoleQueue.CONTROL_RECEIVE) this.#sendControl(transport);
    else if (port !== undefined && index === receiveQueueOf(port)) this.#sendInput(transport, port);
    else return this.#takeOutput(transport, queue, index, port);
    return false;
  }

  /**
   * Gives `bytes`, which are not to change any more, to whoever has `port` open in the guest. They wait until the
   * guest has opened the port and has room.
   *
   * @returns false where {@link MAX_PENDING_INPUT_BYTES} wait already: nothing of `bytes` was taken
   */
  input(port: number, bytes: Uint8Array): boolean {
    if (!this.#input[port]?.add(bytes)) return false;
    const transport = this.#transport;
    if (!transport) return true;
    try {
      this.#sendInput(transport, port);
    } catch (error) {
      transport.fail(error);
    }
    return true;
  }

  /** Whether the guest has `port` open. */
  isOpen(port: number): boolean {
    return this.#open[port] === true;
  }

  #takeOutput(
    transport: VirtioTransport,
    queue: Virtqueue,
    index: number,
    port: number | undefined,
  ): boolean {
    const chain = this.#chain;
    let budget = 2 * queue.size;
    do {
      while (queue.pop(chain)) {
        if (chain.writableBytes > 0) throw this.#error(index, chain, 'can be written to');
        if (port === undefined && chain.readableBytes > MAX_CONTROL_BYTES) {
          throw this.#error(index, chain, `has a control message of ${chain.readableBytes} bytes`);
        }
        const bytes = this.#arena.take(chain.readableBytes);
        chain.gather(bytes);
        queue.push(chain.head, 0);
        if (port === undefined) this.#control.handle(bytes);
        else this.#ports.output(port, bytes);
        if (--budget === 0) break;
      }
    } while (budget > 0 && queue.enableKicks());
    const wanted = queue.flush();
    if (wanted && !transport.kickWaits(index)) transport.interrupt(index);
    if (port === undefined) {
      this.#sendControl(transport);
      for (let each = 0; each < this.#open.length; each++) this.#sendInput(transport, each);
    }
    return budget === 0;
  }

  #sendControl(transport: VirtioTransport): void {
    const index = ConsoleQueue.CONTROL_RECEIVE;
    const waiting = this.#control.waiting;
    this.#fill(transport, index, waiting.length > 0, (chain) => {
      const message = waiting[0] as Uint8Array;
      if (chain.writableBytes < message.length) {
        throw this.#error(
          index,
          chain,
          `has ${chain.writableBytes} bytes for a message of ${message.length}`,
        );
      }
      waiting.shift();
      chain.scatter(message);
      return [message.length, waiting.length > 0];
    });
  }

  #sendInput(transport: VirtioTransport, port: number): void {
    const input = this.#input[port] as PendingInput;
    const index = receiveQueueOf(port);
    this.#fill(transport, index, this.#open[port] === true && input.length > 0, (chain) => {
      if (chain.writableBytes === 0) throw this.#error(index, chain, 'cannot be written to');
      return [input.moveTo(chain), input.length > 0];
    });
  }

  /**
   * Fills the driver's buffers in queue `index` while there is `more`. The driver is asked to kick only while
   * something waits for buffers.
   *
   * @param next fills a buffer; returns how many bytes, and whether there is more
   */
  #fill(
    transport: VirtioTransport,
    index: number,
    more: boolean,
    next: (chain: DescriptorChain) => [written: number, more: boolean],
  ): void {
    const queue = transport.queue(index);
    if (!queue) return;
    const chain = this.#inputChain;
    let left = more;
    while (left) {
      if (!queue.pop(chain)) {
        if (queue.enableKicks()) continue;
        break;
      }
      const [written, rest] = next(chain);
      queue.push(chain.head, written);
      left = rest;
    }
    if (!left) queue.suppressKicks();
    if (queue.flush()) transport.interrupt(index);
  }

  #setOpen(port: number, open: boolean): void {
    if (this.#open[port] === open) return;
    this.#open[port] = open;
    // What was meant for one opener is not for the next.
    if (!open) this.#input[port]?.clear();
    this.#ports.opened?.(port, open);
  }

  #error(index: number, chain: DescriptorChain, fault: string): DeviceError {
    return new DeviceError(`queue ${index} (${this.queues[index]?.name}) head ${chain.head} ${fault}`);
  }
}
