// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import type { AgentEnd, TerminalSize } from '../agent/index.js';
import { bytes, type Fields, flag, inRange, number, printable, sub, text, within } from '../wire.js';
import { MAX_COMMAND, MAX_CONTROL_DATA, MAX_NODE_NAME } from './constants.js';
import type { FromRun, ToRun } from './messages.js';
import { controlSchema } from './schema.js';

const MAX_SIGNAL = 64;
const MAX_CODE = 255;
const MAX_SIZE = 0xffff;
const MAX_VERSION = 0xffff_ffff;

const root = protobuf.Root.fromJSON(controlSchema);
const toRunType = root.lookupType('oneclock.control.ToRun');
const fromRunType = root.lookupType('oneclock.control.FromRun');

/** A message as it travels: its size, then its bytes. */
export function frame(message: Uint8Array): Uint8Array {
  return protobuf.Writer.create().bytes(message).finish();
}

/** The bytes of a message, without its size. */
export function encodeToRun({ type, ...fields }: ToRun): Uint8Array {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return toRunType.encode(toRunType.create({ [type]: Object.fromEntries(present) })).finish();
}

/** The bytes of a message, without its size. */
export function encodeFromRun(message: FromRun): Uint8Array {
  const { type, ...fields } = message;
  const body = message.type === 'ended' ? message.end : fields;
  return fromRunType.encode(fromRunType.create({ [type]: body })).finish();
}

/** @throws Error that says what was expected and what was found */
export function decodeToRun(body: Uint8Array): ToRun {
  const message = decode(toRunType, body);
  const type = message.what as ToRun['type'] | undefined;
  if (type === undefined) throw new Error('expected open, input, resize or signal, found none of them');
  const fields = sub(message, type);
  switch (type) {
    case 'open': {
      const [node, command] = [
        bounded(fields, 'node', MAX_NODE_NAME),
        bounded(fields, 'command', MAX_COMMAND),
      ];
      return {
        type,
        version: within(fields, 'version', 1, MAX_VERSION),
        node,
        command: command === '' ? undefined : command,
        terminal: fields.terminal === null ? undefined : terminal(fields),
      };
    }
    case 'input':
      return { type, bytes: data(fields, 0), end: flag(fields, 'end') };
    case 'resize':
      return { type, terminal: terminal(fields) };
    case 'signal':
      return { type, number: inRange('signal', number(fields, 'number'), 1, MAX_SIGNAL) };
  }
}

/** @throws Error that says what was expected and what was found */
export function decodeFromRun(body: Uint8Array): FromRun {
  const message = decode(fromRunType, body);
  const type = message.what as FromRun['type'] | undefined;
  if (type === undefined) throw new Error('expected begun, output, ended or refused, found none of them');
  const fields = sub(message, type);
  switch (type) {
    case 'begun':
      return { type };
    case 'output':
      return { type, stream: within(fields, 'stream', 1, 2) as 1 | 2, bytes: data(fields, 1) };
    case 'ended':
      return { type, end: how(fields) };
    case 'refused':
      return { type, text: printable(fields, 'text'), input: flag(fields, 'input') };
  }
}

function decode(type: protobuf.Type, body: Uint8Array): Fields {
  try {
    return type.decode(body) as unknown as Fields;
  } catch (error) {
    const begin = Buffer.from(body.subarray(0, 32)).toString('hex');
    throw new Error(`expected a message ${type.name}, found ${body.length} bytes beginning with ${begin}`, {
      cause: error,
    });
  }
}

function terminal(fields: Fields): TerminalSize {
  const size = sub(fields, 'terminal');
  return { rows: within(size, 'rows', 0, MAX_SIZE), columns: within(size, 'columns', 0, MAX_SIZE) };
}

function bounded(fields: Fields, name: string, limit: number): string {
  const value = text(fields, name);
  inRange(`size of ${name}`, Buffer.byteLength(value), 0, limit);
  if (value.includes('\0')) throw new Error(`expected a ${name} without a zero byte, found one`);
  return value;
}

function data(fields: Fields, least: number): Uint8Array {
  const data = bytes(fields, 'bytes');
  inRange('number of bytes', data.length, least, MAX_CONTROL_DATA);
  return data;
}

function how(fields: Fields): AgentEnd {
  if (fields.how === 'code') return { code: within(fields, 'code', 0, MAX_CODE) };
  if (fields.how !== 'signal') throw new Error('expected an exit code or a signal, found neither');
  return { signal: within(fields, 'signal', 1, MAX_SIGNAL) };
}
