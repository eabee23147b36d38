// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { OneclockError } from '../../backend/errors.js';
import { MAX_AGENT_MESSAGE } from './constants.js';
import { agentSchema } from './schema.js';

/** Bytes of a varint that can hold a size up to {@link MAX_AGENT_MESSAGE}. */
const MAX_SIZE_BYTES = 3;
const MAX_SIGNAL = 64;

/** A message from a guest; agent.proto says when each is sent. */
export type FromGuest =
  | { readonly type: 'ready' }
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'signalled'; readonly signal: number }
  | { readonly type: 'failed'; readonly text: string };

/** A decoded FromGuest of agent.proto. */
interface Wire {
  readonly report?: 'ready' | 'exited' | 'failed';
  readonly exited?: { readonly how?: 'code' | 'signal'; readonly code?: number; readonly signal?: number };
  readonly failed?: { readonly text?: string };
}

const fromGuestType = protobuf.Root.fromJSON(agentSchema).lookupType('oneclock.agent.FromGuest');

/** `message` as it travels: its size, then its bytes. */
export function encodeFromGuest(message: FromGuest): Uint8Array {
  return fromGuestType.encodeDelimited(fromGuestType.fromObject(toWire(message))).finish();
}

/**
 * Reads a guest's messages from the bytes of its agent port, in whatever pieces they come. The first fault, a
 * `PARTICIPANT` error, is final: every later call throws it again.
 */
export class AgentDecoder {
  /** The size of the message under way, as far as it is known. */
  #size = 0;
  #sizeBytes = 0;
  #sizeKnown = false;
  /** The message under way; allocated when its size is known to be allowed. */
  #message = new Uint8Array();
  #filled = 0;
  #fault: OneclockError | undefined;

  /** `guest` is how errors call the sender. */
  constructor(readonly guest: string) {}

  /** Takes the next bytes of the port, and gives the messages that they complete. */
  push(bytes: Uint8Array): FromGuest[] {
    if (this.#fault) throw this.#fault;
    const messages: FromGuest[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (!this.#sizeKnown) {
        this.#takeSizeByte(bytes[at++] as number);
      } else {
        const part = bytes.subarray(at, at + this.#size - this.#filled);
        this.#message.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
      }
      if (this.#sizeKnown && this.#filled === this.#size) messages.push(this.#takeMessage());
    }
    return messages;
  }

  /** Says that the port is closed: a message that is not complete by now never will be. */
  end(): void {
    if (this.#fault) throw this.#fault;
    if (this.#sizeKnown)
      this.#fail(`the ${this.#size} bytes of a message`, `${this.#filled} bytes and the end`);
    if (this.#sizeBytes > 0)
      this.#fail('the size of a message', `${this.#sizeBytes} bytes of it and the end`);
  }

  #takeSizeByte(byte: number): void {
    this.#size += (byte & 0x7f) * 2 ** (7 * this.#sizeBytes);
    this.#sizeBytes += 1;
    this.#sizeKnown = byte < 0x80;
    if (!this.#sizeKnown && this.#sizeBytes < MAX_SIZE_BYTES) return;
    if (!this.#sizeKnown || this.#size > MAX_AGENT_MESSAGE) {
      const found = this.#sizeKnown ? `one of ${this.#size}` : 'a size that takes more bytes';
      this.#fail(`a message of at most ${MAX_AGENT_MESSAGE} bytes`, found);
    }
    this.#message = new Uint8Array(this.#size);
    this.#filled = 0;
  }

  #takeMessage(): FromGuest {
    const message = this.#message;
    this.#size = 0;
    this.#sizeBytes = 0;
    this.#sizeKnown = false;
    this.#message = new Uint8Array();
    this.#filled = 0;
    let wire: Wire;
    try {
      wire = fromGuestType.toObject(fromGuestType.decode(message), { oneofs: true });
    } catch (error) {
      const bytes = Buffer.from(message.subarray(0, 32)).toString('hex');
      this.#fail('a FromGuest message', `${message.length} bytes beginning with ${bytes}`, error);
    }
    return this.#fromWire(wire);
  }

  #fromWire({ report, exited, failed }: Wire): FromGuest {
    if (report === 'ready') return { type: 'ready' };
    if (report === 'failed') return { type: 'failed', text: printable(failed?.text ?? '') };
    if (report !== 'exited') this.#fail('ready, exited or failed', 'a message with none of them');
    if (exited?.how === 'code') {
      const code = exited.code ?? 0;
      if (code > 255) this.#fail('an exit code from 0 to 255', String(code));
      return { type: 'exited', code };
    }
    if (exited?.how !== 'signal') this.#fail('an exit code or a signal', 'neither');
    const signal = exited.signal ?? 0;
    if (signal < 1 || signal > MAX_SIGNAL) this.#fail(`a signal from 1 to ${MAX_SIGNAL}`, String(signal));
    return { type: 'signalled', signal };
  }

  #fail(expected: string, found: string, cause?: unknown): never {
    this.#fault = new OneclockError(
      'PARTICIPANT',
      `${this.guest}: agent port: expected ${expected}, found ${found}`,
      cause === undefined ? undefined : { cause },
    );
    throw this.#fault;
  }
}

function toWire(message: FromGuest): Omit<Wire, 'report'> & { readonly ready?: object } {
  switch (message.type) {
    case 'ready':
      return { ready: {} };
    case 'exited':
      return { exited: { code: message.code } };
    case 'signalled':
      return { exited: { signal: message.signal } };
    case 'failed':
      return { failed: { text: message.text } };
  }
}

/** A guest's text is shown on the user's terminal, so nothing in it may steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
