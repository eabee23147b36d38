// SPDX-License-Identifier: MIT
import type { Channel, ChannelHandler, Hub } from '../../host/native/hub.js';
import {
  BackEndRequest,
  encodeEmpty,
  encodeVringState,
  Flag,
  HEADER_BYTES,
  readU32,
  writeU32,
} from '../../protocols/vhost-user/index.js';
import { invariant } from '../errors.js';
import type { Descriptors } from './descriptors.js';
import { DeviceError } from './device-error.js';

/** Called once: true when the guest has the message, false where the session ended first. */
export type Delivered = (delivered: boolean) => void;

const REPLY_BYTES = HEADER_BYTES + 8;

/**
 * The channel of SET_BACKEND_REQ_FD, on which the device asks and the front-end answers. One request at a time:
 * the answer is the permission for the next.
 */
export class BackEndChannel implements ChannelHandler {
  readonly #channel: Channel;
  readonly #descriptors: Descriptors;
  readonly #onFault: (error: DeviceError) => void;
  readonly #vringCall = encodeVringState(BackEndRequest.VRING_CALL, Flag.NEED_REPLY, 0, 0);
  readonly #reply = new Uint8Array(REPLY_BYTES);
  #replyLength = 0;
  #request = 0;
  #done: Delivered | undefined;
  #open = true;

  /** @param onFault the front-end broke the protocol; the channel is of no use any more */
  constructor(hub: Hub, descriptor: number, descriptors: Descriptors, onFault: (error: DeviceError) => void) {
    this.#descriptors = descriptors;
    this.#onFault = onFault;
    this.#channel = hub.open(descriptor, this);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Interrupts for queue `index`. */
  vringCall(index: number, done: Delivered): void {
    writeU32(this.#vringCall, HEADER_BYTES, index);
    this.#send(BackEndRequest.VRING_CALL, this.#vringCall, done);
  }

  /** Says that the configuration space has changed. @param acknowledged whether to ask for an answer */
  configChange(acknowledged: boolean, done: Delivered): void {
    const request = BackEndRequest.CONFIG_CHANGE_MSG;
    if (acknowledged) {
      this.#send(request, encodeEmpty(request, Flag.NEED_REPLY), done);
    } else {
      this.#channel.send(encodeEmpty(request, 0));
      done(true);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#channel.close();
    this.#finish(false);
  }

  onData(bytes: Uint8Array, descriptors: readonly number[]): void {
    for (const descriptor of descriptors) this.#descriptors.close(descriptor);
    if (descriptors.length > 0) {
      this.#fault('descriptors with an answer');
    } else if (!this.#done || this.#replyLength + bytes.length > REPLY_BYTES) {
      this.#fault(`${bytes.length} bytes that answer nothing`);
    } else {
      this.#reply.set(bytes, this.#replyLength);
      this.#replyLength += bytes.length;
      if (this.#replyLength === REPLY_BYTES) this.#check();
    }
  }

  onClose(): void {
    // The session's own channel tells why; what waits for an answer is told at once.
    this.#open = false;
    this.#finish(false);
  }

  #send(request: number, message: Uint8Array, done: Delivered): void {
    invariant(
      this.#done === undefined,
      () => `back-end request ${request} while ${this.#request} is outstanding`,
    );
    this.#request = request;
    this.#done = done;
    this.#replyLength = 0;
    this.#channel.send(message);
  }

  #check(): void {
    const reply = this.#reply;
    const request = readU32(reply, 0);
    const flags = readU32(reply, 4);
    if (request !== this.#request || flags !== (Flag.VERSION | Flag.REPLY) || readU32(reply, 8) !== 8) {
      this.#fault(
        `an answer to request ${request} with flags ${flags} where one to ${this.#request} was due`,
      );
    } else if (readU32(reply, HEADER_BYTES) !== 0 || readU32(reply, HEADER_BYTES + 4) !== 0) {
      this.#fault(`refused back-end request ${request}`);
    } else {
      this.#finish(true);
    }
  }

  #finish(delivered: boolean): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(delivered);
  }

  #fault(fault: string): void {
    this.#onFault(new DeviceError(`back-end channel: ${fault}`));
  }
}
