// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { MessageReader } from '../message-reader.js';
import { type Fields, inRange, number, printable, sub, within } from '../wire.js';
import { AGENT_WINDOW, MAX_AGENT_DATA, MAX_AGENT_MESSAGE } from './constants.js';
import type { AgentEnd, FromGuest } from './messages.js';
import { agentSchema } from './schema.js';

const MAX_SIGNAL = 64;
const MAX_CODE = 255;
const MAX_MODE = 0o7777;
const UINT32 = 0xffff_ffff;
/** A process id of Linux: 22 bits. */
const MAX_PID = 2 ** 22;

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
  let fields: Fields;
  try {
    fields = fromGuestType.decode(message) as unknown as Fields;
  } catch (error) {
    const bytes = Buffer.from(message.subarray(0, 32)).toString('hex');
    fail('a FromGuest message', `${message.length} bytes beginning with ${bytes}`, error);
  }
  const type = fields.report as string | undefined;
  if (type === undefined) fail('ready, exited, failed or an answer', 'a message with none of them');
  return fromWire(type, sub(fields, type));
}

function fromWire(type: string, fields: Fields): FromGuest {
  if (type === 'ready') return { type };
  if (type === 'failed') return { type, text: printable(fields, 'text') };
  if (type === 'exited') {
    const end = how(fields);
    return 'code' in end ? { type: 'exited', ...end } : { type: 'signalled', ...end };
  }
  if (type === 'taken') return { type, bytes: within(fields, 'bytes', 1, AGENT_WINDOW) };
  const id = within(fields, 'id', 1, UINT32);
  switch (type) {
    case 'started':
      return { type, id, pid: within(fields, 'pid', 1, MAX_PID) };
    case 'output':
      return { type, id, stream: within(fields, 'stream', 1, 2) as 1 | 2, bytes: data(fields) };
    case 'ended':
      return { type, id, end: how(fields) };
    case 'file_data':
      return { type: 'data', id, bytes: data(fields) };
    case 'done':
      return { type, id, mode: within(fields, 'mode', 0, MAX_MODE) };
    case 'refused':
      return { type, id, text: printable(fields, 'text'), error: number(fields, 'error') };
    default:
      return { type: 'credit', id, bytes: within(fields, 'bytes', 1, UINT32) };
  }
}

function how(fields: Fields): AgentEnd {
  if (fields.how === 'code') return { code: named('an exit code', fields, 'code', 0, MAX_CODE) };
  if (fields.how !== 'signal') fail('an exit code or a signal', 'neither');
  return { signal: named('a signal', fields, 'signal', 1, MAX_SIGNAL) };
}

function named(what: string, fields: Fields, name: string, least: number, most: number): number {
  const value = number(fields, name);
  if (value < least || value > most) fail(`${what} from ${least} to ${most}`, String(value));
  return value;
}

/** The message is a piece of memory of its own, so what is in it need not be copied. */
function data(fields: Fields): Uint8Array {
  const bytes = fields.bytes as Uint8Array;
  inRange('number of bytes', bytes.length, 1, MAX_AGENT_DATA);
  return bytes;
}

function fail(expected: string, found: string, cause?: unknown): never {
  throw new Error(`expected ${expected}, found ${found}`, { cause });
}

function toWire(message: FromGuest): Record<string, object> {
  const { type, ...fields } = message;
  if (type === 'signalled') return { exited: fields };
  if (type === 'data') return { file_data: fields };
  if (message.type === 'ended') return { ended: { id: message.id, ...message.end } };
  return { [type]: fields };
}
