// SPDX-License-Identifier: MIT
import { chmodSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addon, type Channel, NativeHub } from '../../host/native/index.js';
import { encodeWriteUpdate, type Update } from '../../protocols/write-update/index.js';
import { instant } from '../calendar/time.js';
import type { OneclockError } from '../errors.js';
import { HubServer } from './hub-server.js';
import type { Member } from './member.js';
import type { Method } from './order.js';
import { RemoteHub } from './remote-hub.js';
import { connectGroup, MAX_CONTROLLERS, serveGroup } from './socket.js';

const LIMIT_MS = 10_000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'write-update-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A controller with the hub. Members from 10 on are of other controllers. */
function controller(method: Method) {
  const sockets = new NativeHub();
  const gone: [number, OneclockError | undefined][] = [];
  const server = new HubServer(method, {
    isRemote: (member) => member >= 10,
    gone: (member, error) => gone.push([member, error]),
  });
  const path = join(folder(), 'group');
  const listener = serveGroup(sockets, path, server);
  onTestFinished(() => {
    listener.close();
    sockets.close();
  });
  const wait = (what: string, until: () => boolean) => {
    const end = performance.now() + LIMIT_MS;
    while (!until()) {
      if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
      sockets.poll(10);
    }
  };
  const connect = () => {
    const lost: OneclockError[] = [];
    const remote = new RemoteHub(connectGroup(sockets, path), 'the hub', method, (error) => lost.push(error));
    return { remote, lost };
  };
  return { sockets, server, path, gone, wait, connect };
}

/** Where a member's updates are stored. */
function memory() {
  const stores: Update[] = [];
  return { stores, write: (update: Update) => void stores.push(update), last: () => stores.at(-1)?.value };
}

describe.each(['ordered', 'local-first'] as const)('%s', (method) => {
  test('members on both sides of a socket get thousands of updates of each other', () => {
    const { server, wait, connect, gone } = controller(method);
    const { remote, lost } = connect();
    const memories = [memory(), memory(), memory(), memory()] as const;
    const members: Member[] = [
      server.member(1, memories[0].write),
      server.member(2, memories[1].write),
      remote.member(10, memories[2].write),
      remote.member(11, memories[3].write),
    ];
    for (const member of members) member.register(1, 8);
    wait('all have joined', () => members.every(({ state }) => state === 'joined'));
    // Both ways together fewer than may be without an acknowledgement.
    const count = 2000;
    // More than a socket holds, both ways at once: what has to wait, waits.
    for (let each = 1; each <= count; each++) {
      members[0]?.change(1, BigInt(each), 1n, instant(BigInt(each)));
      members[2]?.change(1, BigInt(count + each), 1n, instant(BigInt(each)));
    }
    if (method === 'ordered') {
      wait(
        'all updates',
        () => gone.length > 0 || memories.every(({ stores }) => stores.length === 2 * count),
      );
      for (const { stores } of memories) expect(stores).toEqual(memories[0].stores);
      expect(memories[0].stores.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 2 * count }, (_, place) => place + 1),
      );
    } else {
      // At one instant the greater member stands, and that has it already.
      const final = BigInt(2 * count);
      wait('the last', () => [0, 1, 3].every((place) => memories[place]?.last() === final));
      expect(memories[2].stores).toEqual([]);
    }
    expect([gone, lost]).toEqual([[], []]);
  });
});

test('a controller that dies takes its members with it, and nobody else', () => {
  const { server, wait, connect, gone, sockets, path } = controller('ordered');
  const [own, other] = [memory(), memory()];
  const member = server.member(1, own.write);
  member.register(1, 8);
  const { remote } = connect();
  const remaining = remote.member(12, other.write);
  remaining.register(1, 8);
  const dying = new RemoteHub(connectGroup(sockets, path), 'the hub', 'ordered', () => undefined);
  for (const id of [10, 11]) dying.member(id, () => undefined).register(1, 8);
  wait('all have joined', () => server.members().length === 4);
  dying.close();
  wait('two are gone', () => gone.length === 2);
  expect(gone.map(([id]) => id)).toEqual([10, 11]);
  expect(gone[0]?.[1]?.message).toMatch(/^controller 2 at .*: the connection is lost: /);
  member.change(1, 5n, 1n, instant(1n));
  wait('the others go on', () => other.last() === 5n && own.last() === 5n);
  expect(server.connections).toBe(1);
});

test('a guest that dies elsewhere leaves the group, its controller stays', () => {
  const { server, wait, connect, gone } = controller('ordered');
  const { remote, lost } = connect();
  const [dead, living] = [memory(), memory()];
  remote.member(10, dead.write).register(1, 8);
  const member = remote.member(11, living.write);
  member.register(1, 8);
  wait('both have joined', () => server.members().length === 2);
  remote.remove(10);
  member.change(1, 3n, 1n, instant(0n));
  wait('it is gone', () => gone.length === 1 && living.last() === 3n);
  expect(gone).toEqual([[10, undefined]]);
  expect([dead.stores, lost, server.members()]).toEqual([[], [], [11]]);
});

test('the hub goes: the members hear why', () => {
  const { server, wait, connect } = controller('ordered');
  const { remote, lost } = connect();
  remote.member(10, () => undefined);
  wait('it has joined', () => server.members().length === 1);
  server.close();
  wait('it is told', () => lost.length === 1);
  expect(lost[0]?.message).toMatch(/^the hub: the connection is lost: /);
});

describe('a stranger', () => {
  /** What `bytes` on a connection come to: how the hub takes it. */
  function attempt(bytes: Uint8Array, descriptors: readonly number[] = []) {
    const { server, sockets, path, wait, gone } = controller('ordered');
    const own = memory();
    const member = server.member(1, own.write);
    member.register(1, 8);
    let reason = '';
    const channel: Channel = sockets.open(addon.connectUnix(path), {
      onData: () => undefined,
      onClose: (why) => {
        reason = why;
      },
    });
    channel.send(bytes, descriptors);
    wait('it is put out', () => reason !== '');
    member.change(1, 9n, 1n, instant(0n));
    expect([own.last(), gone, server.connections]).toEqual([9n, [], 0]);
  }
  const hello = encodeWriteUpdate({ member: 0, hello: { version: 1, method: 'ordered' } });
  const join = (member: number) =>
    encodeWriteUpdate({ member, number: 1, received: 0, body: { type: 'join' } });

  test('sends rubbish', () => attempt(Buffer.alloc(4096, 0xff)));
  test('is of another method', () =>
    attempt(encodeWriteUpdate({ member: 0, hello: { version: 1, method: 'local-first' } })));
  test('speaks for a member of the hub`s controller', () => attempt(Buffer.concat([hello, join(1)])));
  test('passes descriptors: they are closed', () => {
    const files = () => readdirSync('/proc/self/fd').length;
    const descriptor = openSync('/dev/null', 'r');
    const before = files();
    attempt(Buffer.alloc(64, 0xff), [descriptor, descriptor, descriptor]);
    // Those of the hub, of its socket and of its poll are there until the test is over.
    expect(files() - before).toBeLessThan(3);
  });

  test('speaks for a member of another controller: it is put out, that member stays', () => {
    const { server, sockets, path, wait, connect, gone } = controller('ordered');
    const { remote, lost } = connect();
    remote.member(10, () => undefined).register(1, 8);
    wait('it has joined', () => server.members().length === 1);
    let closed = false;
    const channel = sockets.open(addon.connectUnix(path), {
      onData: () => undefined,
      onClose: () => {
        closed = true;
      },
    });
    channel.send(Buffer.concat([hello, join(10)]));
    wait('it is put out', () => closed);
    expect([server.members(), gone, lost]).toEqual([[10], [], []]);
  });
});

test('no more controllers than there is room for', () => {
  const { server, sockets, path, wait } = controller('ordered');
  let closed = 0;
  for (let each = 0; each < MAX_CONTROLLERS + 2; each++) {
    sockets.open(addon.connectUnix(path), { onData: () => undefined, onClose: () => closed++ });
  }
  wait('two are sent away', () => closed === 2);
  expect(server.connections).toBe(MAX_CONTROLLERS);
});

describe('a path', () => {
  const server = () => new HubServer('ordered', { isRemote: () => true, gone: () => undefined });
  const sockets = () => {
    const hub = new NativeHub();
    onTestFinished(() => hub.close());
    return hub;
  };

  test('is for this user only, and goes with the listener', () => {
    const path = join(folder(), 'group');
    const listener = serveGroup(sockets(), path, server());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    listener.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('in a folder that others may use is refused', () => {
    const open = folder();
    chmodSync(open, 0o750);
    expect(() => serveGroup(sockets(), join(open, 'group'), server())).toThrow('others may use');
    expect(() => serveGroup(sockets(), join(open, 'no', 'group'), server())).toThrow('no folder');
  });

  test('where nobody listens', () => {
    expect(() => connectGroup(sockets(), join(folder(), 'group'))).toThrow('is the other controller up?');
  });
});
