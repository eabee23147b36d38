// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import type { AgentEnd } from '../agent/index.js';
import { decodeToRun, encodeToRun } from '../control/index.js';
import { bytes, type Fields, flag, inRange, number, printable, sub, text, wide, within } from '../wire.js';
import { MAX_RECORDED_BYTES, MAX_RECORDED_TEXT, RECORDING_MAGIC, RECORDING_VERSION } from './constants.js';
import type { RecordedEntry, RecordedInput, RecordingHeader, ShellAct } from './messages.js';
import { recordingSchema } from './schema.js';

/** 2^63-1: later than every instant. */
const NEVER = 0x7fff_ffff_ffff_ffffn;
const SHA256_BYTES = 32;
const MAX_SIGNAL = 64;
const MAX_CODE = 255;

const root = protobuf.Root.fromJSON(recordingSchema);
const headerType = root.lookupType('oneclock.recording.Header');
const entryType = root.lookupType('oneclock.recording.Entry');

export function encodeHeader(header: RecordingHeader): Uint8Array {
  const { topology, file, seed, until, interactive, messagesOnly } = header;
  const given = {
    magic: RECORDING_MAGIC,
    version: RECORDING_VERSION,
    topology,
    file,
    seed: long(seed),
    ...(until !== undefined && { until: long(until) }),
    interactive,
    messages_only: messagesOnly,
  };
  return headerType.encode(headerType.create(given)).finish();
}

/** @throws Error that says what was expected and what was found */
export function decodeHeader(message: Uint8Array): RecordingHeader {
  const fields = decode(headerType, message);
  if (text(fields, 'magic') !== RECORDING_MAGIC) {
    throw new Error(`expected '${RECORDING_MAGIC}', found '${printable(fields, 'magic').slice(0, 40)}'`);
  }
  const version = number(fields, 'version');
  if (version !== RECORDING_VERSION) {
    throw new Error(`expected version ${RECORDING_VERSION} of recordings, found ${version}`);
  }
  const topology = bytes(fields, 'topology');
  inRange('size of a SHA-256', topology.length, SHA256_BYTES, SHA256_BYTES);
  return {
    topology,
    file: text(fields, 'file'),
    seed: wide(fields, 'seed'),
    until: present(fields, 'until') ? instant(fields, 'until') : undefined,
    interactive: flag(fields, 'interactive'),
    messagesOnly: flag(fields, 'messages_only'),
  };
}

export function encodeEntry({ passed, input }: RecordedEntry): Uint8Array {
  const { type } = input;
  const entry = { ...(passed > 0n && { passed: long(passed) }), [type]: wireInput(input) };
  return entryType.encode(entryType.create(entry)).finish();
}

function wireInput(input: RecordedInput): object {
  switch (input.type) {
    case 'console':
      return {
        node: input.node,
        bytes: input.bytes,
        ...(input.at !== undefined && { at: long(input.at) }),
      };
    case 'drive':
      return {
        node: input.node,
        line: input.line,
        ...(input.level !== undefined && { level: input.level }),
      };
    case 'reported':
      return { node: input.node, ...input.end };
    case 'ended':
      return { node: input.node, at: long(input.at), ...input.end };
    case 'level':
      return { high: input.high, at: long(input.at) };
    case 'sense':
      return { node: input.node, line: input.line, high: input.high, at: long(input.at) };
    case 'failed':
      return { node: input.node, text: cut(input.text) };
    case 'refused':
      return { frame: long(input.frame) };
    case 'shell':
      return { shell: input.shell, node: input.node, at: long(input.at), ...wireAct(input.act) };
    default: {
      const { type, ...fields } = input;
      return fields;
    }
  }
}

function wireAct(act: ShellAct): object {
  if (act.type === 'more') return { more: true };
  return act.type === 'gone' ? { gone: true } : { request: encodeToRun(act) };
}

/** @throws Error that says what was expected and what was found */
export function decodeEntry(message: Uint8Array): RecordedEntry {
  const fields = decode(entryType, message);
  const type = fields.what as RecordedInput['type'] | undefined;
  if (type === undefined) throw new Error('expected an entry of a known kind, found another');
  return { passed: instant(fields, 'passed'), input: readInput(type, sub(fields, type)) };
}

function readInput(type: RecordedInput['type'], fields: Fields): RecordedInput {
  const node = () => number(fields, 'node');
  const at = () => instant(fields, 'at');
  switch (type) {
    case 'barrier':
    case 'deliver':
    case 'end':
      return { type };
    case 'frame':
      return { type, node: node(), interface: number(fields, 'interface'), bytes: bytes(fields, 'bytes') };
    case 'drive': {
      const level = present(fields, 'level') ? (within(fields, 'level', 0, 1) as 0 | 1) : undefined;
      return { type, node: node(), line: number(fields, 'line'), level };
    }
    case 'released':
      return { type, node: node() };
    case 'console': {
      const output = bytes(fields, 'bytes');
      inRange('number of bytes', output.length, 0, MAX_RECORDED_BYTES);
      return { type, node: node(), bytes: output, at: present(fields, 'at') ? at() : undefined };
    }
    case 'reported':
      return { type, node: node(), end: fields.how === undefined ? undefined : end(fields) };
    case 'ended':
      return { type, node: node(), at: at(), end: end(fields) };
    case 'failed':
      return { type, node: node(), text: printable(fields, 'text') };
    case 'level':
      return { type, high: flag(fields, 'high'), at: at() };
    case 'sense':
      return { type, node: node(), line: number(fields, 'line'), high: flag(fields, 'high'), at: at() };
    case 'copper':
      return { type, wire: number(fields, 'wire'), held: flag(fields, 'held') };
    case 'refused':
      return { type, frame: wide(fields, 'frame') };
    case 'shell':
      return { type, shell: number(fields, 'shell'), node: node(), at: at(), act: act(fields) };
  }
}

function act(fields: Fields): ShellAct {
  switch (fields.act) {
    case 'more':
      return { type: 'more' };
    case 'gone':
      return { type: 'gone' };
    case 'request':
      return decodeToRun(bytes(fields, 'request'));
    default:
      throw new Error('expected what a person does, found nothing');
  }
}

function end(fields: Fields): AgentEnd {
  if (fields.how === 'code') return { code: within(fields, 'code', 0, MAX_CODE) };
  if (fields.how !== 'signal') throw new Error('expected an exit code or a signal, found neither');
  return { signal: within(fields, 'signal', 1, MAX_SIGNAL) };
}

function instant(fields: Fields, name: string): bigint {
  const value = wide(fields, name);
  if (value > NEVER) throw new Error(`expected an instant up to ${NEVER}, found ${value}`);
  return value;
}

/** Whether an optional field is there: it is a property of its own then. */
function present(fields: Fields, name: string): boolean {
  return Object.hasOwn(fields, name);
}

function decode(type: protobuf.Type, message: Uint8Array): Fields {
  try {
    return type.decode(message) as unknown as Fields;
  } catch (error) {
    const begin = Buffer.from(message.subarray(0, 32)).toString('hex');
    const found = `${message.length} bytes beginning with ${begin}`;
    throw new Error(`expected a message ${type.name}, found ${found}`, { cause: error });
  }
}

function long(value: bigint): object {
  return { low: Number(value & 0xffff_ffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}

function cut(value: string): string {
  const encoded = Buffer.from(value);
  if (encoded.length <= MAX_RECORDED_TEXT) return value;
  return encoded.toString('utf8', 0, MAX_RECORDED_TEXT);
}
