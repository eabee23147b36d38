// SPDX-License-Identifier: MIT
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addon, type Channel, NativeHub } from './index.js';

function hub(): NativeHub {
  const made = new NativeHub();
  onTestFinished(() => made.close());
  return made;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hub-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Polls until nothing happens any more. */
function settle(of: NativeHub): void {
  while (of.poll(0) > 0);
}

/** Descriptors that this process has open. */
function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

interface End {
  readonly channel: Channel;
  readonly descriptor: number;
  text: string;
  pieces: number;
  readonly descriptors: number[];
  readonly closed: string[];
}

/** One end of a connection that writes down what comes. */
function end(of: NativeHub, descriptor: number): End {
  const made: Omit<End, 'channel'> & { channel?: Channel } = {
    descriptor,
    text: '',
    pieces: 0,
    descriptors: [],
    closed: [],
  };
  made.channel = of.open(descriptor, {
    onData: (bytes, descriptors) => {
      made.text += Buffer.from(bytes).toString('latin1');
      made.pieces++;
      made.descriptors.push(...descriptors);
    },
    onClose: (reason) => made.closed.push(reason),
  });
  return made as End;
}

function pair(of: NativeHub): [End, End] {
  const [a, b] = addon.socketPair();
  return [end(of, a), end(of, b)];
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('channels', () => {
  test('carry bytes both ways', () => {
    const of = hub();
    const [a, b] = pair(of);
    a.channel.send(bytes('to b'));
    b.channel.send(bytes('to '));
    b.channel.send(bytes('a'));
    settle(of);
    expect([a.text, b.text]).toEqual(['to a', 'to b']);
  });

  test('carry descriptors both ways, which are then the receiver’s', () => {
    const of = hub();
    const [a, b] = pair(of);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const [reader, writer] = addon.pipe();
      const { ino } = fstatSync(reader);
      from.channel.send(bytes('x'), [reader, writer]);
      closeSync(reader);
      closeSync(writer);
      settle(of);
      expect(to.descriptors.map((descriptor) => fstatSync(descriptor).ino)).toEqual([ino, ino]);
      for (const descriptor of to.descriptors) closeSync(descriptor);
    }
  });

  test('as many descriptors as fit, and no more', () => {
    const of = hub();
    const [a, b] = pair(of);
    const file = openSync('/dev/null', 'r');
    a.channel.send(
      bytes('x'),
      Array.from({ length: 64 }, () => file),
    );
    settle(of);
    expect(b.descriptors).toHaveLength(64);
    for (const descriptor of b.descriptors) closeSync(descriptor);
    expect(() =>
      a.channel.send(
        bytes('x'),
        Array.from({ length: 65 }, () => file),
      ),
    ).toThrow('too many descriptors');
    closeSync(file);
  });

  test('have no message boundaries', () => {
    const of = hub();
    const [a, b] = pair(of);
    for (const letter of 'abcdef') a.channel.send(bytes(letter));
    settle(of);
    expect(b.text).toBe('abcdef');
    expect(b.pieces).toBe(1);
    for (const letter of 'ghi') {
      a.channel.send(bytes(letter));
      settle(of);
    }
    expect(b.text).toBe('abcdefghi');
    expect(b.pieces).toBe(4);
  });

  test('carry more than the hub reads at once, from many at a time', () => {
    const of = hub();
    const pairs = Array.from({ length: 100 }, () => pair(of));
    const sent = 'x'.repeat(100_000);
    for (const [a] of pairs) a.channel.send(bytes(sent));
    settle(of);
    for (const [, b] of pairs) expect(b.text.length).toBe(sent.length);
  });

  test('bytes are the reader’s until its handler returns', () => {
    const of = hub();
    const pairs = Array.from({ length: 20 }, () => addon.socketPair());
    const seen: string[] = [];
    const senders = pairs.map(([reader, writer], index) => {
      of.open(reader, {
        onData: (data) => {
          // What is sent meanwhile does not change them.
          for (const sender of senders) sender.send(bytes('later'));
          seen.push(`${index} ${Buffer.from(data).toString('latin1')}`);
        },
        onClose: () => undefined,
      });
      return of.open(writer, { onData: () => undefined, onClose: () => undefined });
    });
    senders.forEach((sender, index) => {
      sender.send(bytes(`first ${index}`));
    });
    of.poll(0);
    expect(seen).toEqual(pairs.map((_pair, index) => `${index} first ${index}`));
  });

  test('end once, with a reason', () => {
    const of = hub();
    const [a, b] = pair(of);
    a.channel.send(bytes('last words'));
    a.channel.close();
    settle(of);
    expect(b.text).toBe('last words');
    expect(b.closed).toEqual(['the peer closed the connection']);
    b.channel.send(bytes('too late'));
    b.channel.close();
    settle(of);
    expect(b.closed).toHaveLength(1);
    expect(a.closed).toEqual([]);
  });

  test('to a peer that has gone are closed by the next poll, not by the sending', () => {
    const of = hub();
    const [ours, theirs] = addon.socketPair();
    const a = end(of, ours);
    closeSync(theirs);
    a.channel.send(bytes('x'));
    expect(a.closed).toEqual([]);
    settle(of);
    expect(a.closed).toEqual(['EPIPE (errno 32)']);
  });

  test('to a peer that does not read are closed when its buffer is full, and no others', () => {
    const of = hub();
    const [ours, theirs] = addon.socketPair();
    const deaf = end(of, ours);
    const [a, b] = pair(of);
    const block = new Uint8Array(64 * 1024);
    for (let i = 0; i < 100; i++) {
      deaf.channel.send(block);
      if (i % 10 === 0) a.channel.send(bytes('x'));
      settle(of);
    }
    expect(deaf.closed).toEqual(['EAGAIN (errno 11)']);
    expect(b.text).toBe('xxxxxxxxxx');
    expect(b.closed).toEqual([]);
    closeSync(theirs);
  });

  test('may be closed, opened and sent on by any handler', () => {
    const of = hub();
    const before = openDescriptors();
    const [reader, writer] = addon.pipe();
    const pairs = Array.from({ length: 10 }, () => addon.socketPair());
    const heard: number[] = [];
    const readers = pairs.map(([a], index) =>
      of.open(a, {
        onData: (_data, descriptors) => {
          heard.push(index);
          for (const descriptor of descriptors) closeSync(descriptor);
          // The first to hear something ends all, itself too; what the others had is for nobody.
          for (const channel of readers) channel.close();
          const [c, d] = pair(of);
          c.channel.send(bytes('from a handler'));
          more.push(d);
        },
        onClose: () => heard.push(-1),
      }),
    );
    const more: End[] = [];
    const writers = pairs.map(([, b]) => of.open(b, { onData: () => undefined, onClose: () => undefined }));
    for (const channel of writers) channel.send(bytes('x'), [reader, writer]);
    closeSync(reader);
    closeSync(writer);
    settle(of);
    expect(heard).toHaveLength(1);
    expect(more.map(({ text }) => text)).toEqual(['from a handler']);
    of.close();
    expect(openDescriptors()).toBe(before);
  });

  test('can be the reading end of a pipe', () => {
    const of = hub();
    const [reader, writer] = addon.pipe();
    const a = end(of, reader);
    writeSync(writer, 'through a pipe');
    settle(of);
    expect(a.text).toBe('through a pipe');
    closeSync(writer);
    settle(of);
    expect(a.closed).toHaveLength(1);
  });

  test('cannot be a file, which nobody can wait for', () => {
    const of = hub();
    const before = openDescriptors();
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect(() => end(of, openSync(path, 'r+'))).toThrow('epoll_ctl');
    // It is the hub's all the same.
    expect(openDescriptors()).toBe(before);
  });

  test('are all closed with the hub', () => {
    const before = openDescriptors();
    const of = new NativeHub();
    const inUse = openDescriptors();
    const [a, b] = pair(of);
    of.listen(join(folder(), 'socket'), () => undefined);
    of.close();
    of.close();
    expect(openDescriptors()).toBe(inUse);
    expect(inUse - before).toBeLessThanOrEqual(1);
    settle(of);
    expect([a.closed, b.closed]).toEqual([[], []]);
  });
});

describe('polling', () => {
  test('waits for what happens, and no longer than it is told', () => {
    const of = hub();
    const start = performance.now();
    expect(of.poll(30)).toBe(0);
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    const [a, b] = pair(of);
    a.channel.send(bytes('x'));
    expect(of.poll(10_000)).toBe(1);
    expect(b.text).toBe('x');
  });
});

describe('signals', () => {
  test('are emptied before they are told, and told once', () => {
    const of = hub();
    const [reader, writer] = addon.pipe();
    let heard = 0;
    of.watch(reader, () => {
      heard++;
    });
    for (let i = 0; i < 1000; i++) writeSync(writer, 'signal!!');
    settle(of);
    expect(heard).toBe(1);
    writeSync(writer, 'signal!!');
    settle(of);
    expect(heard).toBe(2);
    closeSync(writer);
    settle(of);
    expect(heard).toBe(2);
  });
});

describe('edges', () => {
  test('are told once for each write, and nothing is read', () => {
    const of = hub();
    const [reader, writer] = addon.pipe();
    const copy = addon.duplicate(reader);
    let heard = 0;
    const edges = of.watchEdges(reader, () => {
      heard++;
    });
    settle(of);
    for (let count = 1; count <= 100; count++) {
      writeSync(writer, 'x');
      settle(of);
      expect(heard).toBe(count);
    }
    edges.close();
    writeSync(writer, 'x');
    settle(of);
    expect(heard).toBe(100);
    expect(readSync(copy, Buffer.alloc(200))).toBe(101);
    closeSync(copy);
    closeSync(writer);
  });
});

describe('listeners', () => {
  test('are private to the user, and their file goes with them', () => {
    const of = hub();
    const path = join(folder(), 'socket');
    const listener = of.listen(path, () => undefined);
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    listener.close();
    expect(existsSync(path)).toBe(false);
    // A file that another has put there meanwhile is not ours to remove.
    writeFileSync(path, '');
    listener.close();
    expect(existsSync(path)).toBe(true);
  });

  test('say what is wrong with a path', () => {
    const of = hub();
    const path = join(folder(), 'socket');
    of.listen(path, () => undefined);
    expect(() => of.listen(path, () => undefined)).toThrow(/Address already in use.*choose another path/);
    expect(() => of.listen(join(path, 'x'), () => undefined)).toThrow('Not a directory');
    expect(() => of.listen(`/tmp/${'x'.repeat(120)}`, () => undefined)).toThrow('File name too long');
    expect(() => of.listen('', () => undefined)).toThrow('File name too long');
    expect(() => addon.connectUnix(`${path}2`)).toThrow('No such file');
  });

  test('take 1000 connections, each its own', () => {
    const of = hub();
    const path = join(folder(), 'socket');
    const accepted: End[] = [];
    of.listen(path, (descriptor) => {
      accepted.push(end(of, descriptor));
    });
    const clients: End[] = [];
    for (let i = 0; i < 1000; i++) {
      clients.push(end(of, addon.connectUnix(path)));
      // No more wait at a time than the kernel lets wait.
      if (i % 100 === 99) settle(of);
    }
    expect(accepted).toHaveLength(1000);
    clients.forEach(({ channel }, index) => {
      channel.send(bytes(`client ${index}`));
    });
    settle(of);
    expect(accepted.map(({ text }) => text).sort()).toEqual(
      clients.map((_client, index) => `client ${index}`).sort(),
    );
    for (const { channel } of clients) channel.close();
    settle(of);
    expect(accepted.every(({ closed }) => closed.length === 1)).toBe(true);
  });

  test('may be closed while connections wait', () => {
    const of = hub();
    const path = join(folder(), 'socket');
    let accepted = 0;
    const listener = of.listen(path, (descriptor) => {
      accepted++;
      closeSync(descriptor);
      listener.close();
    });
    const clients = [1, 2, 3].map(() => end(of, addon.connectUnix(path)));
    settle(of);
    expect(accepted).toBe(1);
    expect(clients.every(({ closed }) => closed.length === 1)).toBe(true);
  });
});

test('a source that was closed is waited for no more, though its file is open elsewhere', () => {
  const made = hub();
  const [reader, writer] = addon.pipe();
  onTestFinished(() => {
    for (const descriptor of [reader, writer]) closeSync(descriptor);
  });
  const { channel } = end(made, addon.duplicate(reader));
  channel.close();
  writeSync(writer, 'x');
  const begin = performance.now();
  expect(made.poll(50)).toBe(0);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(49);
});
