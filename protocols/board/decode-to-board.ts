// SPDX-License-Identifier: MIT

import { bytes, type Fields, flag, inRange, list, number, sub, text, within } from '../wire.js';
import { MAX_COMMAND_BYTES, MAX_PID, MAX_PROCESSES, MAX_SIGNAL, SESSION_BYTES } from './constants.js';
import { toBoardMessage, toBoardType } from './encode.js';
import type { BoardRequest, BoardSettings, ToBoard, ToBoardBody } from './messages.js';

const UINT32 = 0xffff_ffff;
/** What is part of a module parameter: it is no word of its own, and nothing is quoted. */
const LINE = /^[!#-&(-[\]-~]{0,100}$/;
const METHOD = /^[a-z]{1,16}$/;
/** What goes with no number, because it is not repeated. */
const UNNUMBERED: readonly string[] = ['hello', 'acknowledge', 'clock'];

/**
 * Reads the bytes of a message from a controller, without the size before it. Everything in it has been checked
 * against board.proto.
 *
 * @throws Error that says what was expected and what was found
 */
export function decodeToBoard(message: Uint8Array): ToBoard {
  const fields = toBoardType.decode(message) as unknown as Fields;
  const what = fields.what as string | undefined;
  if (what === undefined) throw new Error('expected a request, found a message of no known type');
  const request = number(fields, 'request');
  if (UNNUMBERED.includes(what) !== (request === 0)) {
    throw new Error(`expected ${request === 0 ? 'a number' : 'no number'} with ${what}, found ${request}`);
  }
  return { request, received: number(fields, 'received'), body: body(what, sub(fields, what)) };
}

/**
 * Makes sure that an agent would take `request`.
 *
 * @throws Error that says what was expected and what was found
 */
export function checkRequest(request: BoardRequest): void {
  decodeToBoard(toBoardMessage({ request: 1, received: 0, body: request }));
}

function body(what: string, fields: Fields): ToBoardBody {
  switch (what) {
    case 'hello': {
      const session = bytes(fields, 'session');
      if (session.length !== SESSION_BYTES) {
        throw new Error(`expected a session of ${SESSION_BYTES} bytes, found ${session.length}`);
      }
      return { type: 'hello', version: number(fields, 'version'), session, resume: flag(fields, 'resume') };
    }
    case 'clock':
      return { type: 'clock', number: number(fields, 'number') };
    case 'loadModule':
      return {
        type: 'loadModule',
        pause: line(fields, 'pause'),
        resume: line(fields, 'resume'),
        signal: line(fields, 'signal'),
        periodMs: number(fields, 'periodMs'),
      };
    case 'configure':
      return { type: 'configure', ...settings(fields) };
    case 'register':
      return { type: 'register', processes: processes(fields) };
    case 'unregister':
      return { type: 'unregister', pids: many(list<number>(fields, 'pids')).map(pid) };
    case 'start':
      return { type: 'start', run: within(fields, 'run', 1, UINT32), command: command(fields) };
    case 'signal':
      return {
        type: 'signal',
        run: within(fields, 'run', 1, UINT32),
        signal: within(fields, 'signal', 1, MAX_SIGNAL),
      };
    case 'setMode':
      return { type: 'setMode', freeze: flag(fields, 'freeze') };
    case 'acknowledge':
    case 'unloadModule':
    case 'getStatus':
    case 'release':
      return { type: what };
    default:
      throw new Error(`expected a known request, found ${what}`);
  }
}

function line(fields: Fields, name: string): string {
  const value = text(fields, name);
  if (!LINE.test(value)) {
    throw new Error(
      `expected a ${name} line of at most 100 characters without blanks and quotes, found another`,
    );
  }
  return value;
}

function settings(fields: Fields): BoardSettings {
  const method = Object.hasOwn(fields, 'method') ? text(fields, 'method') : undefined;
  if (method !== undefined && !METHOD.test(method)) throw new Error('expected a method, found another text');
  return {
    ...(Object.hasOwn(fields, 'tdf') ? { tdf: number(fields, 'tdf') } : {}),
    ...(Object.hasOwn(fields, 'watchdogMs') ? { watchdogMs: number(fields, 'watchdogMs') } : {}),
    ...(method === undefined ? {} : { method }),
  };
}

function processes(fields: Fields) {
  return many(list<Fields>(fields, 'processes')).map((process) => ({
    pid: pid(number(process, 'pid')),
    tree: flag(process, 'tree'),
  }));
}

function many<T>(values: readonly T[]): readonly T[] {
  inRange('number of processes', values.length, 1, MAX_PROCESSES);
  return values;
}

function pid(value: number): number {
  return inRange('process number', value, 1, MAX_PID);
}

function command(fields: Fields): string {
  const value = text(fields, 'command');
  const size = Buffer.byteLength(value);
  inRange('command size in bytes', size, 1, MAX_COMMAND_BYTES);
  if (value.includes('\0')) throw new Error('expected a command without the character 0, found one with it');
  return value;
}
