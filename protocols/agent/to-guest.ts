// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { MAX_AGENT_MESSAGE, MAX_AGENT_PATH, MAX_AGENT_WORDS } from './constants.js';
import type { ExecRequest, ToGuest } from './messages.js';
import { agentSchema } from './schema.js';

const MAX_SIGNAL = 64;
const MAX_MODE = 0o7777;
const MAX_SIZE = 0xffff;

const toGuestType = protobuf.Root.fromJSON(agentSchema).lookupType('oneclock.agent.ToGuest');

/**
 * `message` as it travels: its size, then its bytes.
 *
 * @throws Error for what an agent would not take; it says what was expected and what was found
 */
export function encodeToGuest(message: ToGuest): Uint8Array {
  const body = toGuestType.encode(toGuestType.fromObject(toWire(message))).finish();
  if (body.length > MAX_AGENT_MESSAGE) {
    fail(`at most ${MAX_AGENT_MESSAGE} bytes of ${message.type}`, `${body.length}`);
  }
  return protobuf.Writer.create().bytes(body).finish();
}

function toWire(message: ToGuest): Record<string, object> {
  switch (message.type) {
    case 'exec':
      return { exec: execFields(message) };
    case 'signal':
      check('a signal', message.number, 1, MAX_SIGNAL);
      break;
    case 'resize':
      checkSize(message.terminal);
      break;
    case 'put':
      check('permission bits', message.mode, 0, MAX_MODE);
      checkPath(message.path);
      break;
    case 'get':
      checkPath(message.path);
      break;
    case 'data': {
      const { type, ...fields } = message;
      return { file_data: fields };
    }
  }
  const { type, ...fields } = message;
  return { [type]: fields };
}

function execFields(message: ExecRequest & { readonly id: number; readonly credit: number }): object {
  const { id, credit, command, cwd, environment = {}, terminal, user } = message;
  const entries = Object.entries(environment);
  if (typeof command !== 'string') {
    check('arguments', command.length, 1, MAX_AGENT_WORDS);
    for (const word of command) checkText('argument', word);
  } else {
    if (command === '') fail('a command', 'an empty text');
    checkText('command', command);
  }
  check('entries of the environment', entries.length, 0, MAX_AGENT_WORDS);
  for (const [name, value] of entries) {
    if (name === '' || /[=\0]/.test(name)) fail('the name of a variable', JSON.stringify(name));
    checkText(`value of ${name}`, value);
  }
  if (cwd !== undefined) checkPath(cwd);
  if (user !== undefined) checkText('user', user);
  if (terminal !== undefined) checkSize(terminal);
  return {
    id,
    credit,
    ...(typeof command === 'string' ? { command } : { argv: command }),
    ...(cwd !== undefined && { cwd }),
    environment: entries.map(([name, value]) => `${name}=${value}`),
    ...(terminal && { terminal }),
    ...(user !== undefined && { user }),
  };
}

function checkSize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
  check('rows', rows, 0, MAX_SIZE);
  check('columns', columns, 0, MAX_SIZE);
}

function checkPath(path: string): void {
  checkText('path', path);
  const size = Buffer.byteLength(path);
  if (size < 1 || size > MAX_AGENT_PATH) fail(`a path of 1 to ${MAX_AGENT_PATH} bytes`, `${size} bytes`);
}

function checkText(what: string, text: string): void {
  if (text.includes('\0')) fail(`a ${what} without a zero byte`, JSON.stringify(text.slice(0, 80)));
}

function check(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    fail(`${what} from ${least} to ${most}`, `${value}`);
}

function fail(expected: string, found: string): never {
  throw new Error(`expected ${expected}, found ${found}`);
}
