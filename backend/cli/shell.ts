// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { ReadStream } from 'node:tty';
import type { AgentEnd, TerminalSize } from '../../protocols/agent/index.js';
import {
  CONTROL_VERSION,
  decodeFromRun,
  encodeToRun,
  type FromRun,
  frame,
  MAX_CONTROL_DATA,
  MAX_CONTROL_MESSAGE,
  MessageReader,
  type ToRun,
} from '../../protocols/control/index.js';
import { OneclockError } from '../errors.js';
import { CONTROL_FILE } from '../run/persons-server.js';
import { Escape } from './escape.js';

/** Of signals, what shells add to their numbers. */
const SIGNALLED = 128;
/** Signals that a program without a terminal gets, as it would here. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** Bytes of the file that says where the socket is. */
const MAX_PATH = 4096;

/** `oneclock shell`. @returns the exit status, which is the program's */
export async function shell(out: string, node: string, words: readonly string[]): Promise<number> {
  const path = socketOf(out);
  const socket = await reach(out, path);
  const { stdin, stdout } = process;
  const terminal = stdin.isTTY && stdout.isTTY;
  const command = words.length > 0 ? words.join(' ') : undefined;
  const say = (message: ToRun) => socket.writable && socket.write(frame(encodeToRun(message)));
  say({
    type: 'open',
    version: CONTROL_VERSION,
    node,
    command,
    terminal: terminal ? size(process.stdout) : undefined,
  });
  const restore = terminal ? type(stdin, say, socket) : pass(say, socket);
  try {
    return await listen(socket);
  } finally {
    restore();
    socket.destroy();
    stdin.destroy();
  }
}

/** Where the run has its socket. @throws OneclockError `INPUT` that says why there is none */
function socketOf(out: string): string {
  const file = join(out, CONTROL_FILE);
  let path: string;
  try {
    path = readFileSync(file, 'utf8').slice(0, MAX_PATH);
  } catch {
    throw new OneclockError('INPUT', `${out}: ${whyNoRun(out)}`);
  }
  // It is written in one go, but may be read before that.
  if (!path.endsWith('\n'))
    throw new OneclockError('INPUT', `${file}: expected the path of a socket; try again`);
  return path.slice(0, -1);
}

function whyNoRun(out: string): string {
  if (existsSync(join(out, 'result.json'))) return 'the run is over: there is nobody to talk to';
  if (existsSync(join(out, 'trace'))) {
    return 'the run takes no shells, or not yet: it has to be started with --interactive';
  }
  return 'there is no run: name the folder that was given to oneclock run --interactive by --out';
}

/** Bounded: it is a socket of this machine. */
async function reach(out: string, path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' || code === 'ECONNREFUSED'
        ? 'the run is over: it was killed, and has left nothing but this'
        : code === 'EACCES' || code === 'EPERM'
          ? 'the run is another user’s'
          : (cause as Error).message;
    throw new OneclockError('INPUT', `${out}: ${why}`, { cause });
  }
  return socket;
}

/** Writes what the program does, up to its end. */
function listen(socket: Socket): Promise<number> {
  const reader = new MessageReader('the run', MAX_CONTROL_MESSAGE, decodeFromRun);
  return new Promise((resolve, reject) => {
    let last: FromRun | undefined;
    const hear = (message: FromRun) => {
      if (message.type === 'output') {
        const stream = message.stream === 1 ? process.stdout : process.stderr;
        if (!stream.write(message.bytes)) {
          socket.pause();
          stream.once('drain', () => socket.resume());
        }
      } else if (message.type !== 'begun') last = message;
    };
    socket.on('data', (bytes) => {
      try {
        reader.push(bytes, hear);
      } catch (error) {
        reject(error);
      }
    });
    // Nobody reads what is written any more.
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', () => resolve(SIGNALLED + constants.signals.SIGPIPE));
    }
    socket.on('left', () => resolve(SIGNALLED + constants.signals.SIGHUP));
    socket.on('error', () => undefined);
    socket.on('end', () => over());
    socket.on('close', () => over());
    const over = () => {
      if (last?.type === 'ended') resolve(statusOf(last.end));
      else if (last?.type === 'refused')
        reject(new OneclockError(last.input ? 'INPUT' : 'PARTICIPANT', last.text));
      else reject(new OneclockError('PARTICIPANT', 'the run has gone, without a word'));
    };
  });
}

function statusOf(end: AgentEnd): number {
  return 'code' in end ? end.code : SIGNALLED + end.signal;
}

/** What is typed on a terminal goes to the guest as it is. @returns what puts the terminal back */
function type(stdin: ReadStream, say: (message: ToRun) => void, socket: Socket): () => void {
  const keys = new Escape();
  const { stdout } = process;
  stdin.setRawMode(true);
  stdin.on('data', (typed: Buffer) => {
    const { bytes, leave } = keys.take(typed);
    send(bytes, say);
    if (leave) socket.emit('left');
  });
  const resize = () => say({ type: 'resize', terminal: size(stdout) });
  stdout.on('resize', resize);
  return () => {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
  };
}

/** Input that is no terminal, as fast as the guest takes it. */
function pass(say: (message: ToRun) => void, socket: Socket): () => void {
  const { stdin } = process;
  stdin.on('data', (bytes: Buffer) => {
    send(bytes, say);
    if (!socket.writableNeedDrain) return;
    stdin.pause();
    socket.once('drain', () => stdin.resume());
  });
  const end = () => say({ type: 'input', bytes: new Uint8Array(), end: true });
  stdin.on('end', end);
  stdin.on('error', end);
  const handlers = PASSED_ON.map((name) => {
    const handler = () => say({ type: 'signal', number: constants.signals[name] });
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

function send(bytes: Uint8Array, say: (message: ToRun) => void): void {
  for (let from = 0; from < bytes.length; from += MAX_CONTROL_DATA) {
    say({ type: 'input', bytes: bytes.subarray(from, from + MAX_CONTROL_DATA), end: false });
  }
}

function size({ rows, columns }: { readonly rows: number; readonly columns: number }): TerminalSize {
  return { rows: rows || 0, columns: columns || 0 };
}
