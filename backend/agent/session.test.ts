// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { describe, expect, test } from 'vitest';
import {
  AGENT_STDIN_WINDOW,
  AGENT_WINDOW,
  type FromGuest,
  MAX_AGENT_DATA,
  MAX_AGENT_OPERATIONS,
} from '../../protocols/agent/index.js';
import { agentSchema } from '../../protocols/agent/schema.js';
import { OneclockError } from '../errors.js';
import { AgentSession, type ExecOptions } from './index.js';

const toGuest = protobuf.Root.fromJSON(agentSchema).lookupType('oneclock.agent.ToGuest');

/** A message as the guest sees it: its one field, and what is in that. */
interface Heard {
  readonly type: string;
  readonly id: number;
  readonly bytes: Uint8Array | number;
  readonly [field: string]: unknown;
}

/** A session whose guest does nothing by itself. */
class World {
  readonly heard: Heard[] = [];
  readonly log: string[] = [];
  /** Bytes that the guest was sent. */
  sent = 0;
  readonly session = new AgentSession('a', (bytes) => {
    this.sent += bytes.length;
    const message = toGuest.decodeDelimited(bytes) as unknown as Record<string, unknown>;
    const type = message.request as string;
    this.heard.push({
      type,
      ...(toGuest.toObject(message as never, { defaults: true })[type] as object),
    } as Heard);
  });

  constructor(ready = true) {
    if (ready) this.hear({ type: 'ready' });
  }

  hear(message: FromGuest): void {
    this.session.take(message);
  }

  /** The names of what was heard since the last call, with ids. */
  news(): string[] {
    return this.heard.splice(0).map(({ type, id }) => `${type} ${id}`);
  }

  exec(options: Partial<ExecOptions> = {}) {
    return this.session.exec(
      { command: 'true', ...options },
      {
        started: (pid) => this.log.push(`started ${pid}`),
        output: (stream, bytes) => this.log.push(`output ${stream} ${bytes.length}`),
        drained: () => this.log.push('drained'),
        ended: (end) => this.log.push(`ended ${JSON.stringify(end)}`),
        failed: ({ message }, errno) => this.log.push(`failed ${errno} ${message}`),
      },
    );
  }

  /** A program that runs. */
  started() {
    const program = this.exec();
    this.hear(started);
    return program;
  }

  put(content: Uint8Array) {
    const failed = ({ message }: Error, errno: number) => this.log.push(`failed ${errno} ${message}`);
    return this.session.put('/p', content, { done: () => this.log.push('put'), failed });
  }

  get(limit?: number) {
    const failed = ({ message }: Error, errno: number) => this.log.push(`failed ${errno} ${message}`);
    const done = (content: Uint8Array, mode: number) => this.log.push(`got ${content.length} ${mode}`);
    return this.session.get('/g', { done, failed }, limit === undefined ? {} : { limit });
  }

  /** What the guest has been sent as data of operation `id`. */
  dataOf(id: number): number {
    const data = this.heard.filter(
      ({ type, id: of }) => of === id && (type === 'stdin' || type === 'file_data'),
    );
    return data.reduce((sum, { bytes }) => sum + (bytes as Uint8Array).length, 0);
  }
}

/** The error that `action` throws. */
function thrown(action: () => unknown): OneclockError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OneclockError);
    return error as OneclockError;
  }
  throw new Error('nothing was thrown');
}

const started = { type: 'started', id: 1, pid: 9 } as const;
const bytes = (length: number) => new Uint8Array(length);

describe('a program', () => {
  test('goes its way', () => {
    const world = new World();
    const program = world.exec({ command: ['a', 'b'], user: 'u', terminal: { rows: 1, columns: 2 } });
    expect(world.heard).toMatchObject([
      {
        type: 'exec',
        id: 1,
        argv: ['a', 'b'],
        user: 'u',
        credit: 262_144,
        terminal: { rows: 1, columns: 2 },
      },
    ]);
    world.hear(started);
    world.hear({ type: 'output', id: 1, stream: 2, bytes: bytes(3) });
    program.signal(15);
    program.resize({ rows: 3, columns: 4 });
    program.end(bytes(5));
    world.hear({ type: 'ended', id: 1, end: { code: 7 } });
    expect(world.log).toEqual(['started 9', 'output 2 3', 'ended {"code":7}']);
    expect(world.news()).toEqual(['exec 1', 'signal 1', 'resize 1', 'stdin 1']);
    program.signal(9);
    program.write(bytes(1));
    program.end();
    program.resume();
    expect(world.news()).toEqual([]);
  });

  test('waits for the guest to be ready, with all that was asked of it', () => {
    const world = new World(false);
    const program = world.exec();
    program.write(bytes(2));
    program.signal(1);
    expect(world.news()).toEqual([]);
    world.hear({ type: 'ready' });
    expect(world.news()).toEqual(['exec 1', 'signal 1', 'stdin 1']);
    expect(world.log).toEqual(['drained']);
  });

  test('may be refused', () => {
    const world = new World();
    world.exec();
    world.hear({ type: 'refused', id: 1, text: 'cannot run true: No such file', error: 2 });
    expect(world.log).toEqual(['failed 2 a: cannot run true: No such file']);
  });

  test('gets no more input than it takes', () => {
    const world = new World();
    const program = world.exec();
    world.hear(started);
    expect(program.write(bytes(3 * AGENT_STDIN_WINDOW))).toBe(false);
    expect(world.dataOf(1)).toBe(AGENT_STDIN_WINDOW);
    world.hear({ type: 'credit', id: 1, bytes: 100 });
    expect(world.dataOf(1)).toBe(AGENT_STDIN_WINDOW + 100);
    world.hear({ type: 'taken', bytes: world.sent });
    world.hear({ type: 'credit', id: 1, bytes: AGENT_STDIN_WINDOW });
    world.hear({ type: 'credit', id: 1, bytes: AGENT_STDIN_WINDOW });
    expect(world.dataOf(1)).toBe(3 * AGENT_STDIN_WINDOW);
    expect(world.log).toEqual(['started 9', 'drained']);
    expect(
      world.heard.every(
        (each) => each.type !== 'stdin' || (each.bytes as Uint8Array).length <= MAX_AGENT_DATA,
      ),
    ).toBe(true);
  });

  test('has credit for as much output as is taken, and none while it is paused', () => {
    const world = new World();
    const program = world.exec({ window: 1000 });
    world.hear(started);
    const output = (length: number) => world.hear({ type: 'output', id: 1, stream: 1, bytes: bytes(length) });
    output(200);
    expect(world.news()).toEqual(['exec 1']);
    output(100);
    expect(world.heard).toMatchObject([{ type: 'credit', id: 1, bytes: 300 }]);
    program.pause();
    world.news();
    output(1000);
    expect(world.news()).toEqual([]);
    program.resume();
    expect(world.heard).toMatchObject([{ type: 'credit', bytes: 1000 }]);
    expect(thrown(() => output(1001)).message).toBe(
      'a: agent: expected at most 1000 bytes of data, found 1001',
    );
  });

  test('that is paused from the beginning has no credit before it goes on', () => {
    const world = new World();
    const program = world.exec({ paused: true });
    expect(world.heard).toMatchObject([{ type: 'exec', credit: 0 }]);
    program.resume();
    expect(world.heard[1]).toMatchObject({ type: 'credit', bytes: 262_144 });
  });
});

describe('files', () => {
  test('go in in pieces', () => {
    const world = new World();
    world.put(bytes(40_000));
    expect(
      world.heard.map(({ type, bytes: piece, end, mode }) => [
        type,
        (piece as Uint8Array)?.length,
        end ?? mode,
      ]),
    ).toEqual([
      ['put', undefined, 0o644],
      ['file_data', 16_384, false],
      ['file_data', 16_384, false],
      ['file_data', 7_232, true],
    ]);
    world.hear({ type: 'done', id: 1, mode: 0o644 });
    expect(world.log).toEqual(['put']);
  });

  test('an empty one has one piece', () => {
    const world = new World();
    world.put(bytes(0));
    expect(world.heard[1]).toMatchObject({ type: 'file_data', end: true });
  });

  test('come out, and no more than is wanted', () => {
    const world = new World();
    world.get();
    world.get(1000);
    for (const id of [1, 2]) world.hear({ type: 'data', id, bytes: bytes(1001) });
    world.hear({ type: 'done', id: 1, mode: 0o600 });
    expect(world.log).toEqual(['got 1001 384']);
    expect(world.news()).toEqual(['get 1', 'get 2', 'cancel 2']);
    world.hear({ type: 'data', id: 2, bytes: bytes(1001) });
    world.hear({ type: 'refused', id: 2, text: 'given up', error: 125 });
    expect(world.log.at(-1)).toBe('failed 125 a: cannot get /g: it has more than 1000 bytes');
  });

  test('are given up, also before they were begun and when it is too late', () => {
    const world = new World();
    world.put(bytes(10 * AGENT_WINDOW)).cancel();
    const before = world.dataOf(1);
    world.hear({ type: 'taken', bytes: world.sent });
    expect(world.dataOf(1)).toBe(before);
    expect(world.heard.at(-1)).toMatchObject({ type: 'cancel', id: 1 });
    world.hear({ type: 'refused', id: 1, text: 'given up', error: 125 });
    const late = world.get();
    late.cancel();
    world.hear({ type: 'done', id: 2, mode: 0 });
    late.cancel();
    expect(world.log).toEqual(['failed 125 a: given up', 'got 0 0']);
  });
});

describe('a guest', () => {
  test('is never sent more than it has taken and a window', () => {
    const world = new World(false);
    world.put(bytes(4 * AGENT_WINDOW));
    world.put(bytes(4 * AGENT_WINDOW));
    world.hear({ type: 'ready' });
    expect(world.sent).toBeLessThanOrEqual(AGENT_WINDOW);
    expect(world.sent).toBeGreaterThan(AGENT_WINDOW - 2 * MAX_AGENT_DATA);
    // In turn.
    expect(Math.abs(world.dataOf(1) - world.dataOf(2))).toBeLessThanOrEqual(MAX_AGENT_DATA);
    const first = world.sent;
    world.hear({ type: 'taken', bytes: 100_000 });
    expect(world.sent).toBeLessThanOrEqual(AGENT_WINDOW + 100_000);
    expect(world.sent).toBeGreaterThan(first + 60_000);
  });

  test('has a number of operations at once, and the others wait', () => {
    const world = new World();
    for (let i = 0; i < MAX_AGENT_OPERATIONS + 2; i++) world.exec();
    expect(world.news()).toHaveLength(MAX_AGENT_OPERATIONS);
    world.hear(started);
    world.hear({ type: 'ended', id: 1, end: { signal: 9 } });
    expect(world.news()).toEqual([`exec ${MAX_AGENT_OPERATIONS + 1}`]);
  });

  test('that has gone has done nothing of what is left, and does nothing more', () => {
    const world = new World();
    for (let i = 0; i < MAX_AGENT_OPERATIONS; i++) world.exec();
    world.put(bytes(1));
    world.session.gone('it crashed');
    world.session.gone('again');
    expect(world.log).toEqual(Array(MAX_AGENT_OPERATIONS + 1).fill('failed 0 a has gone: it crashed'));
    expect(thrown(() => world.exec()).message).toBe('a has gone: it crashed');
    expect(world.session.ready).toBe(false);
    world.hear(started);
  });

  test('says as much as it likes of what is being done while that is called back', () => {
    const world = new World();
    let again = 0;
    const next = () => {
      if (++again < 1000) world.session.exec({ command: 'true' }, { ended: next, failed: () => undefined });
    };
    next();
    for (let id = 1; id < 1000; id++) {
      world.hear({ type: 'started', id, pid: 9 });
      world.hear({ type: 'ended', id, end: { code: 0 } });
    }
    expect(again).toBe(1000);
  });

  test.each<[string, (world: World) => unknown, FromGuest, string]>([
    ['that is ready twice', () => 0, { type: 'ready' }, 'expected to hear that it is ready once'],
    [
      'an operation that there is not',
      () => 0,
      started,
      'expected an answer about an operation, found started about 1',
    ],
    [
      'output before the start',
      (w) => w.exec(),
      { type: 'output', id: 1, stream: 1, bytes: bytes(1) },
      'expected started or refused of operation 1, found output',
    ],
    [
      'an end before the start',
      (w) => w.exec(),
      { type: 'ended', id: 1, end: { code: 0 } },
      'expected started or refused',
    ],
    [
      'credit for nothing',
      (w) => w.started(),
      { type: 'credit', id: 1, bytes: 1 },
      'expected credit for at most 0 bytes, found 1',
    ],
    [
      'a second start',
      (w) => w.started(),
      started,
      'expected output, credit or ended of operation 1, found started',
    ],
    [
      'a refusal behind the start',
      (w) => w.started(),
      { type: 'refused', id: 1, text: '', error: 0 },
      'found refused',
    ],
    ['content of a program', (w) => w.started(), { type: 'data', id: 1, bytes: bytes(1) }, 'found data'],
    [
      'that it has put what it does not have',
      (w) => w.put(bytes(AGENT_WINDOW)),
      { type: 'done', id: 1, mode: 0 },
      'expected refused, or done behind the end,',
    ],
    [
      'more content than it may',
      (w) => w.get(),
      { type: 'data', id: 1, bytes: bytes(262_145) },
      'expected at most 262144 bytes',
    ],
    [
      'output of a file',
      (w) => w.get(),
      { type: 'output', id: 1, stream: 1, bytes: bytes(1) },
      'expected data, done or refused',
    ],
    [
      'that it has taken what it was not sent',
      () => 0,
      { type: 'taken', bytes: 1 },
      'expected at most 0 bytes to be taken, found 1',
    ],
  ])('that tells %s has broken the protocol', (_, before, message, text) => {
    const world = new World();
    before(world);
    const error = thrown(() => world.hear(message));
    expect(error.code).toBe('PARTICIPANT');
    expect(error.message).toMatch(/^a: agent: /);
    expect(error.message).toContain(text);
  });
});

describe('a caller', () => {
  test.each<[string, (world: World) => unknown, string]>([
    ['a zero byte', (w) => w.exec({ command: 'a\0' }), 'a: expected a command without a zero byte'],
    ['no window', (w) => w.exec({ window: 0 }), 'a: expected a window of 1 to'],
    ['signal 65', (w) => w.exec().signal(65), 'a: expected a signal from 1 to 64, found 65'],
    ['a signal that there is not, early', () => new World(false).exec().signal(0), 'a signal from 1 to 64'],
    [
      'a path of nothing',
      (w) => w.session.get('', { done: () => 0, failed: () => 0 }),
      'a path of 1 to 4095 bytes',
    ],
    ['too many signals', (w) => endless(() => w.exec().signal(1)), 'operations wait already'],
    [
      'too many signals to one',
      (w) => ((p) => endless(() => p.signal(1)))(w.exec()),
      'messages wait for it already',
    ],
    [
      'too many early signals',
      () => ((p) => endless(() => p.signal(1)))(new World(false).exec()),
      'wait for a program already',
    ],
  ])('is told of %s', (_, act, text) => {
    const error = thrown(() => act(new World()));
    expect(error.code).toBe('INPUT');
    expect(error.message).toContain(text);
  });

  test('may throw, which is no fault of the guest', () => {
    const world = new World();
    const mine = new Error('mine');
    const ended = () => {
      throw mine;
    };
    world.session.exec({ command: 'true' }, { ended, failed: () => 0 });
    world.hear(started);
    expect(() => world.hear({ type: 'ended', id: 1, end: { code: 0 } })).toThrow(mine);
    world.exec();
    world.hear({ ...started, id: 2 });
    expect(world.log).toEqual(['started 9']);
  });
});

function endless(act: () => void): never {
  for (let i = 0; i < 100_000; i++) act();
  throw new Error('it never ended');
}
