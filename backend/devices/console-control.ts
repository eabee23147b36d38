// SPDX-License-Identifier: MIT
import { CONTROL_BYTES, ControlEvent, NO_PORT } from '../../protocols/virtio/index.js';
import { DeviceError } from './device-error.js';

/** A port of a console device. */
export interface ConsolePortOptions {
  /** What the guest finds it by (`/sys/class/virtio-ports/…/name`); none for a console. */
  readonly name?: string;
  /** It is a console (`/dev/hvc0`) and not just a stream of bytes. */
  readonly console?: boolean;
}

/** The most answers that wait for the driver: a few for each of its own messages. */
const MAX_WAITING = 64;

/** One control message (virtio 1.2, 5.3.6.2). */
export function encodeControl(id: number, event: number, value: number, text = ''): Uint8Array {
  const name = Buffer.from(text, 'utf8');
  const message = new Uint8Array(CONTROL_BYTES + name.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  message.set(name, CONTROL_BYTES);
  return message;
}

/** The device's side of the control protocol: what the driver says, and what it is told. */
export class ConsoleControl {
  /** Messages for the driver, first come first. */
  readonly waiting: Uint8Array[] = [];
  readonly #ports: readonly ConsolePortOptions[];
  readonly #onOpen: (port: number, open: boolean) => void;

  constructor(ports: readonly ConsolePortOptions[], onOpen: (port: number, open: boolean) => void) {
    this.#ports = ports;
    this.#onOpen = onOpen;
  }

  reset(): void {
    this.waiting.length = 0;
  }

  /** @throws DeviceError for what is not a control message of a driver */
  handle(message: Uint8Array): void {
    if (message.length !== CONTROL_BYTES) {
      throw new DeviceError(
        `control message of ${message.length} bytes, where ${CONTROL_BYTES} are expected`,
      );
    }
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const id = view.getUint32(0, true);
    const event = view.getUint16(4, true);
    const value = view.getUint16(6, true);
    if (event === ControlEvent.DEVICE_READY) {
      if (id !== NO_PORT && id !== 0) throw new DeviceError(`control message DEVICE_READY about port ${id}`);
      if (value === 0) throw new DeviceError('the driver could not set up the console');
      for (let port = 0; port < this.#ports.length; port++) {
        // A driver that starts anew has nothing open, whatever the one before it said.
        this.#onOpen(port, false);
        this.#say(port, ControlEvent.PORT_ADD, 1);
      }
      return;
    }
    const port = this.#ports[id];
    if (!port) throw new DeviceError(`control message ${event} about port ${id} of ${this.#ports.length}`);
    switch (event) {
      case ControlEvent.PORT_READY:
        if (value === 0) throw new DeviceError(`the driver could not set up port ${id}`);
        if (port.console) this.#say(id, ControlEvent.CONSOLE_PORT, 1);
        if (port.name !== undefined) this.#say(id, ControlEvent.PORT_NAME, 1, port.name);
        this.#say(id, ControlEvent.PORT_OPEN, 1);
        return;
      case ControlEvent.PORT_OPEN:
        this.#onOpen(id, value !== 0);
        return;
      default:
        throw new DeviceError(`control message ${event} about port ${id}, which is not a driver's to send`);
    }
  }

  #say(id: number, event: number, value: number, text?: string): void {
    if (this.waiting.length >= MAX_WAITING) {
      throw new DeviceError(`${MAX_WAITING} control messages wait and the driver gives no buffers for them`);
    }
    this.waiting.push(encodeControl(id, event, value, text));
  }
}
