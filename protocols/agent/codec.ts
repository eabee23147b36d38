// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { MessageReader } from '../message-reader.js';
import { MAX_AGENT_MESSAGE } from './constants.js';
import { agentSchema } from './schema.js';

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
  readonly #reader: MessageReader<FromGuest>;

  /** `guest` is how errors call the sender. */
  constructor(readonly guest: string) {
    this.#reader = new MessageReader(`${guest}: agent port`, MAX_AGENT_MESSAGE, decodeFromGuest);
  }

  /** Takes the next bytes of the port, and gives the messages that they complete. */
  push(bytes: Uint8Array): FromGuest[] {
    const messages: FromGuest[] = [];
    this.#reader.push(bytes, (message) => messages.push(message));
    return messages;
  }

  /** Says that the port is closed: a message that is not complete by now never will be. */
  end(): void {
    this.#reader.end();
  }
}

function decodeFromGuest(message: Uint8Array): FromGuest {
  let wire: Wire;
  try {
    wire = fromGuestType.toObject(fromGuestType.decode(message), { oneofs: true });
  } catch (error) {
    const bytes = Buffer.from(message.subarray(0, 32)).toString('hex');
    fail('a FromGuest message', `${message.length} bytes beginning with ${bytes}`, error);
  }
  return fromWire(wire);
}

function fromWire({ report, exited, failed }: Wire): FromGuest {
  if (report === 'ready') return { type: 'ready' };
  if (report === 'failed') return { type: 'failed', text: printable(failed?.text ?? '') };
  if (report !== 'exited') fail('ready, exited or failed', 'a message with none of them');
  if (exited?.how === 'code') {
    const code = exited.code ?? 0;
    if (code > 255) fail('an exit code from 0 to 255', String(code));
    return { type: 'exited', code };
  }
  if (exited?.how !== 'signal') fail('an exit code or a signal', 'neither');
  const signal = exited.signal ?? 0;
  if (signal < 1 || signal > MAX_SIGNAL) fail(`a signal from 1 to ${MAX_SIGNAL}`, String(signal));
  return { type: 'signalled', signal };
}

function fail(expected: string, found: string, cause?: unknown): never {
  throw new Error(`expected ${expected}, found ${found}`, { cause });
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
