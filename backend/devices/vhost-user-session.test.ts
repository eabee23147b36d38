// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import {
  encodeU64,
  Flag,
  ProtocolFeature,
  FrontEndRequest as R,
  readU64,
  readVringState,
} from '../../protocols/vhost-user/index.js';
import { Feature, featureBit, NetFeature, NetQueue } from '../../protocols/virtio/index.js';
import type { OneclockError } from '../errors.js';
import { type FakeEvent, FakeFile } from './testing/fake-descriptors.js';
import {
  encode,
  FakeFrontEnd,
  FakeMachine,
  GUEST_BASE,
  regionBytes,
  state,
  u64,
} from './testing/fake-front-end.js';
import { VhostUserDeviceServer } from './vhost-user-server.js';
import { VirtioNet } from './virtio-net.js';

const DATA = GUEST_BASE + 0x8_0000;
const MAC = featureBit(NetFeature.MAC);
const MODERN = featureBit(Feature.VERSION_1) | featureBit(Feature.RING_EVENT_IDX);
const PROTOCOL = featureBit(30);
const { RECEIVE, TRANSMIT } = NetQueue;

let machine: FakeMachine;
let frames: Uint8Array[];
let raised: number[];
let events: string[];
let failures: OneclockError[];
let server: VhostUserDeviceServer;
let net: VirtioNet;
let onFrame: () => void;
let settle: (answer: () => void) => void;

beforeEach(() => {
  machine = new FakeMachine();
  frames = [];
  raised = [];
  events = [];
  failures = [];
  onFrame = () => {};
  settle = (answer) => answer();
  net = new VirtioNet(
    { name: 'eth0 of a', mac: new Uint8Array(6) },
    {
      transmit(frame) {
        frames.push(frame);
        onFrame();
      },
    },
  );
  server = new VhostUserDeviceServer(machine, 'net.sock', net, {
    raise: (line) => raised.push(line),
    settle: (answer) => settle(answer),
    onConnected: () => events.push('connected'),
    onRefused: () => events.push('refused'),
    onClosed: (reason) => events.push(`closed: ${reason}`),
    onFailed: (error) => failures.push(error),
  });
});

const connect = () => new FakeFrontEnd(machine, 'net.sock');

function start(): FakeFrontEnd {
  const guest = connect();
  guest.startLikeUserModeLinux(2, MAC, 16);
  return guest;
}

function add(guest: FakeFrontEnd, fill = 1): void {
  guest.write(DATA, new Uint8Array(72).fill(fill, 12));
  guest.queues[TRANSMIT]?.add([{ address: DATA, length: 72 }]);
}

/** Descriptors of QEMU for one ring: kick and call. */
function notifiers(guest: FakeFrontEnd, index: number): { kick: FakeEvent; call: FakeEvent } {
  const kick = guest.event();
  const call = guest.event();
  guest.must(R.SET_VRING_KICK, u64(BigInt(index)), [kick.descriptor]);
  guest.must(R.SET_VRING_CALL, u64(BigInt(index)), [call.descriptor]);
  return { kick: kick.event, call: call.event };
}

/** hw/virtio/vhost-user.c and vhost.c of QEMU, in their order, for a network card. */
function startLikeQemu(guest: FakeFrontEnd) {
  const offered = guest.get(R.GET_FEATURES);
  const wanted = 1n << BigInt(ProtocolFeature.REPLY_ACK);
  const slots = 1n << BigInt(ProtocolFeature.CONFIGURE_MEM_SLOTS);
  const status = 1n << BigInt(ProtocolFeature.STATUS);
  const backEnd = 1n << BigInt(ProtocolFeature.BACKEND_REQ);
  expect(guest.get(R.GET_PROTOCOL_FEATURES)).toBe(
    wanted | slots | status | backEnd | (1n << 9n) | (1n << 14n),
  );
  guest.request(R.SET_PROTOCOL_FEATURES, u64(wanted | slots | status | backEnd));
  expect(guest.get(R.GET_MAX_MEM_SLOTS)).toBe(8n);
  guest.openBackEnd();
  guest.request(R.SET_OWNER);
  for (const index of [RECEIVE, TRANSMIT]) {
    guest.must(R.SET_VRING_CALL, u64(BigInt(index)), [guest.event().descriptor]);
    guest.must(R.SET_VRING_ENABLE, state(index, 1));
  }
  guest.must(R.SET_FEATURES, u64(offered & (MAC | MODERN | PROTOCOL)));
  const region = new Uint8Array(40);
  region.set(regionBytes(), 8);
  guest.must(R.ADD_MEM_REG, region, [machine.descriptors.add(machine.file)]);
  const rings = [RECEIVE, TRANSMIT].map((index) => {
    guest.placeQueue(index, 64, true);
    return notifiers(guest, index);
  });
  guest.must(R.SET_STATUS, u64(15n));
  expect(guest.get(R.GET_STATUS)).toBe(15n);
  return rings as [ReturnType<typeof notifiers>, ReturnType<typeof notifiers>];
}

describe('a session', () => {
  it('follows virtio_uml and gives every descriptor back', () => {
    const guest = start();
    add(guest, 9);
    expect(guest.kick(TRANSMIT)).toBe(true);
    expect(frames).toEqual([new Uint8Array(60).fill(9)]);
    expect(machine.file.mappings).toBe(1);
    guest.disconnect();
    expect(events).toEqual(['connected', 'closed: the peer closed the connection']);
    expect(failures).toEqual([]);
    expect(machine.file.mappings).toBe(0);
    expect(machine.descriptors.openCount).toBe(0);
    expect(machine.canariesIntact).toBe(true);
  });

  it('follows QEMU, with eventfds both ways', () => {
    const guest = connect();
    const [receive, transmit] = startLikeQemu(guest);
    add(guest, 4);
    transmit.kick.count++;
    machine.hub.poll();
    expect(frames).toEqual([new Uint8Array(60).fill(4)]);
    // Its driver does not wait in the kick, so the used buffer is announced where it asks.
    expect(raised).toEqual([TRANSMIT]);
    const done: boolean[] = [];
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    expect([done, transmit.call.count]).toEqual([[true], 1]);

    guest.queues[RECEIVE]?.add([{ address: DATA, length: 1600, writable: true }]);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    receive.kick.count++;
    machine.hub.poll();
    expect(net.receive(new Uint8Array(60))).toBe(true);
    server.deliver(RECEIVE, (delivered) => done.push(delivered));
    expect(receive.call.count).toBe(1);

    const base = guest.request(R.GET_VRING_BASE, state(TRANSMIT, 0));
    expect(base?.payload).toEqual(state(TRANSMIT, 1));
    expect(guest.request(R.GET_VRING_BASE, state(RECEIVE, 0))?.payload).toEqual(state(RECEIVE, 1));
    expect(net.receive(new Uint8Array(60))).toBe(false);
    const region = new Uint8Array(40);
    region.set(regionBytes(), 8);
    guest.must(R.REM_MEM_REG, region, [machine.descriptors.add(new FakeFile(new Uint8Array(0)))]);
    expect(machine.file.mappings).toBe(0);
    guest.disconnect();
    expect(machine.descriptors.openCount).toBe(0);
    expect(failures).toEqual([]);
  });

  it('offers no notifications that the other end would wait for, to a guest in real time', () => {
    const inBand = 1n << BigInt(ProtocolFeature.INBAND_NOTIFICATIONS);
    const offered = connect().get(R.GET_PROTOCOL_FEATURES);
    server.close();
    server = new VhostUserDeviceServer(
      machine,
      'net.sock',
      net,
      { raise() {}, onClosed() {}, onFailed: (error) => failures.push(error) },
      { inBand: false },
    );
    const guest = connect();
    expect(guest.get(R.GET_PROTOCOL_FEATURES)).toBe(offered & ~inBand);
    guest.request(R.SET_PROTOCOL_FEATURES, u64(offered));
    expect(failures.at(-1)?.message).toContain('were not on offer');
  });

  it('goes on from where a stopped ring was', () => {
    const guest = connect();
    const [, transmit] = startLikeQemu(guest);
    add(guest, 1);
    transmit.kick.count++;
    machine.hub.poll();
    const base = guest.request(R.GET_VRING_BASE, state(TRANSMIT, 0));
    const { num } = readVringState(base?.payload ?? new Uint8Array(8), 0);
    add(guest, 2);
    machine.hub.poll();
    expect(frames).toHaveLength(1);
    guest.must(R.SET_VRING_BASE, state(TRANSMIT, num));
    notifiers(guest, TRANSMIT).kick.count++;
    machine.hub.poll();
    expect(frames.map((frame) => frame[0])).toEqual([1, 2]);
  });

  it('starts rings enabled without protocol features', () => {
    const guest = connect();
    guest.request(R.SET_FEATURES, u64(MAC | MODERN));
    guest.setMemory();
    guest.placeQueue(TRANSMIT, 16, true);
    const { kick } = notifiers(guest, TRANSMIT);
    add(guest);
    kick.count++;
    machine.hub.poll();
    expect(frames).toHaveLength(1);
  });

  it('takes and drops what is sent on a disabled ring', () => {
    const guest = start();
    guest.must(R.SET_VRING_ENABLE, state(TRANSMIT, 0));
    guest.must(R.SET_VRING_ENABLE, state(RECEIVE, 0));
    add(guest);
    expect(guest.kick(TRANSMIT)).toBe(true);
    expect(frames).toEqual([]);
    expect(guest.queues[TRANSMIT]?.takeUsed()).toHaveLength(1);
    guest.queues[RECEIVE]?.add([{ address: DATA, length: 1600, writable: true }]);
    expect(guest.kick(RECEIVE)).toBe(true);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    expect(guest.queues[RECEIVE]?.takeUsed()).toEqual([]);
    guest.must(R.SET_VRING_ENABLE, state(TRANSMIT, 1));
    guest.must(R.SET_VRING_ENABLE, state(RECEIVE, 1));
    expect(net.receive(new Uint8Array(60))).toBe(false);
    add(guest);
    guest.kick(TRANSMIT);
    guest.must(R.VRING_KICK, state(RECEIVE, 0));
    expect(net.receive(new Uint8Array(60))).toBe(true);
    expect(frames).toHaveLength(1);
  });

  it('drops interrupts of a ring that is taken away before they are delivered', () => {
    const guest = start();
    add(guest);
    guest.kick(TRANSMIT);
    expect(raised).toEqual([TRANSMIT]);
    guest.must(R.SET_VRING_ENABLE, state(TRANSMIT, 0));
    const done: boolean[] = [];
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    expect([done, guest.calls()]).toEqual([[false], []]);
  });

  it('serves a driver that comes a second time on the same connection', () => {
    const guest = start();
    add(guest, 1);
    guest.kick(TRANSMIT);
    // vu_del_vqs, then a probe.
    for (const index of [TRANSMIT, RECEIVE]) guest.must(R.SET_VRING_ENABLE, state(index, 0));
    guest.get(R.GET_FEATURES);
    guest.must(R.SET_FEATURES, u64(guest.features));
    machine.memory.fill(0);
    guest.setMemory();
    for (const index of [RECEIVE, TRANSMIT]) guest.placeQueue(index, 32, true);
    for (const index of [RECEIVE, TRANSMIT]) guest.must(R.SET_VRING_ENABLE, state(index, 1));
    add(guest, 2);
    expect(guest.kick(TRANSMIT)).toBe(true);
    expect(frames.map((frame) => frame[0])).toEqual([1, 2]);
    expect(machine.file.mappings).toBe(1);
  });

  it('goes on across a new memory table', () => {
    const guest = start();
    add(guest, 1);
    guest.kick(TRANSMIT);
    guest.setMemory();
    guest.setMemory();
    add(guest, 2);
    guest.kick(TRANSMIT);
    expect(frames.map((frame) => frame[0])).toEqual([1, 2]);
    expect(machine.file.mappings).toBe(1);
  });

  it('serves one front-end at a time, and the next one from the beginning', () => {
    const guest = start();
    add(guest, 1);
    guest.kick(TRANSMIT);
    const second = connect();
    expect(second.socket.peer.closed).toBe(true);
    add(guest, 2);
    guest.kick(TRANSMIT);
    guest.disconnect();
    machine.memory.fill(0);
    const third = start();
    add(third, 3);
    third.kick(TRANSMIT);
    expect(frames.map((frame) => frame[0])).toEqual([1, 2, 3]);
    expect(events).toEqual(['connected', 'refused', expect.stringMatching(/^closed/), 'connected']);
    server.close();
    expect(machine.descriptors.openCount).toBe(0);
    expect(() => connect()).toThrow('nobody listens');
  });

  it('ends after the kick at hand where it is closed within', () => {
    const guest = start();
    onFrame = () => server.close();
    add(guest);
    add(guest);
    guest.queues[TRANSMIT]?.needsKick();
    expect(guest.request(R.VRING_KICK, state(TRANSMIT, 0), { needReply: true })).toBeUndefined();
    expect(frames).toHaveLength(2);
    expect(machine.descriptors.openCount).toBe(0);
    expect(events).toEqual(['connected']);
  });

  it('keeps the guest in its kick until all is settled', () => {
    const guest = start();
    const answers: (() => void)[] = [];
    settle = (answer) => answers.push(answer);
    add(guest);
    const kick = encode(R.VRING_KICK, state(TRANSMIT, 0), true);
    expect(guest.send(kick)).toEqual([]);
    expect(frames).toHaveLength(1);
    answers.shift()?.();
    expect(readU64(guest.socket.take(), 12)).toBe(0n);
    expect(guest.send(kick)).toEqual([]);
    guest.disconnect();
    answers.shift()?.();
    expect(guest.socket.take()).toHaveLength(0);
  });

  it('takes what was sent by the time of a kick that was left elsewhere, and no more', () => {
    const guest = start();
    for (let count = 0; count < 5; count++) add(guest);
    expect(server.kicked(TRANSMIT, 2)).toBe(true);
    expect(frames).toHaveLength(2);
    server.kicked(TRANSMIT, 4);
    expect(frames).toHaveLength(4);
    // What is the same as before is none, and a kick by message is for all there is.
    server.kicked(TRANSMIT, 4);
    guest.must(R.VRING_KICK, state(TRANSMIT, 0));
    expect(frames).toHaveLength(5);
    expect(failures).toEqual([]);
  });

  it.each([
    ['of a queue that there is not', 2, 1, 'queue 2 of a device'],
    ['that goes back', TRANSMIT, 0xffff, 'has available index 65535 after 1'],
    ['for more than there can be', TRANSMIT, 1000, 'has available index 1000 after 1'],
  ])('fails where a kick was left elsewhere %s', (_what, queue, available, text) => {
    const guest = start();
    add(guest);
    server.kicked(TRANSMIT, 1);
    server.kicked(queue, available);
    expect(failures[0]?.message).toContain(text);
    expect(server.kicked(TRANSMIT, 1)).toBe(false);
  });

  it('tells whoever waits for a delivery that there will be none', () => {
    const guest = start();
    add(guest);
    guest.kick(TRANSMIT);
    const done: boolean[] = [];
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    guest.disconnect();
    expect(done).toEqual([false]);
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    expect(done).toEqual([false, false]);
  });

  it.each([
    ['refuses it', encodeU64(4, Flag.REPLY, 1n), 'refused back-end request 4'],
    ['answers another', encodeU64(2, Flag.REPLY, 0n), 'an answer to request 2'],
    ['answers with a request', encodeU64(4, 0, 0n), 'an answer to request 4 with flags 1'],
    ['says too much', new Uint8Array(21), '21 bytes that answer nothing'],
  ])('fails where the front-end, asked to take an interrupt, %s', (_what, answer, text) => {
    const guest = start();
    add(guest);
    guest.kick(TRANSMIT);
    const done: boolean[] = [];
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    guest.backEnd?.send(answer);
    machine.hub.poll();
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining(text)]);
    expect(done).toEqual([false]);
    expect(machine.descriptors.openCount).toBe(0);
  });

  it('takes an answer in pieces', () => {
    const guest = start();
    add(guest);
    guest.kick(TRANSMIT);
    const done: boolean[] = [];
    server.deliver(TRANSMIT, (delivered) => done.push(delivered));
    const answer = encodeU64(4, Flag.REPLY, 0n);
    guest.backEnd?.send(answer.subarray(0, 7));
    machine.hub.poll();
    expect(done).toEqual([]);
    guest.backEnd?.send(answer.subarray(7));
    machine.hub.poll();
    expect(done).toEqual([true]);
  });

  it('answers an unknown request with an error where it may, and goes on', () => {
    const guest = start();
    for (const request of [R.IOTLB_MSG, R.SET_LOG_FD, R.SET_CONFIG, R.SEND_RARP, R.NET_SET_MTU, 77]) {
      const size = request === R.SEND_RARP || request === R.NET_SET_MTU ? 8 : 0;
      const options = { needReply: true, descriptors: [guest.event().descriptor] };
      const reply = guest.request(request, new Uint8Array(size), options);
      expect(readU64(reply?.payload ?? new Uint8Array(8), 0)).toBe(1n);
    }
    add(guest);
    guest.kick(TRANSMIT);
    expect(frames).toHaveLength(1);
    guest.disconnect();
    expect(machine.descriptors.openCount).toBe(0);
  });

  const message = (request: number, payload: Uint8Array = new Uint8Array(0)) => ({ request, payload });
  it.each([
    ['an unknown request', message(77), 'a request that is not served (last message: request 77)'],
    ['SET_LOG_BASE', message(R.SET_LOG_BASE, u64(0n)), 'not served (last message: SET_LOG_BASE)'],
    [
      'a queue too many',
      message(R.SET_VRING_NUM, state(2, 16)),
      'queue 2 of a device that has 2 queues (receive, transmit)',
    ],
    [
      'a size too small',
      message(R.SET_VRING_NUM, new Uint8Array(4)),
      'a payload of 4 bytes where 8 are expected',
    ],
    [
      'an odd queue size',
      message(R.SET_VRING_NUM, state(1, 12)),
      'queue 1 (transmit) cannot have 12 descriptors',
    ],
    [
      'a base out of range',
      message(R.SET_VRING_BASE, state(1, 65_536)),
      'cannot start at available index 65536',
    ],
    ['enabling with 2', message(R.SET_VRING_ENABLE, state(1, 2)), 'is to be enabled with 2'],
    ['features not on offer', message(R.SET_FEATURES, u64(1n)), 'features 0x1 were not on offer'],
    ['multiple queues', message(R.SET_PROTOCOL_FEATURES, u64(1n)), 'protocol features 0x1 were not on offer'],
    ['in-band alone', message(R.SET_PROTOCOL_FEATURES, u64(1n << 14n)), 'without REPLY_ACK and BACKEND_REQ'],
    ['a kick of nothing', message(R.VRING_KICK, state(7, 0)), 'queue 7 of a device'],
    ['a kick with more', message(R.VRING_KICK, state(1, 1)), '1 in a reserved field'],
    ['a kick by two ways', message(R.SET_VRING_KICK, u64(1n)), '0 descriptors where 1 are expected'],
    ['a status past 255', message(R.SET_STATUS, u64(256n)), 'device status 0x100'],
    ['unknown bits', message(R.SET_VRING_CALL, u64(0x201n)), 'unknown bits in 0x201'],
    [
      'a table without files',
      message(R.SET_MEM_TABLE, Uint8Array.of(1, ...new Uint8Array(39))),
      'with 0 descriptors',
    ],
  ])('fails for %s', (_what, { request, payload }, text) => {
    const guest = start();
    guest.request(request, payload);
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining(text)]);
    expect(failures[0]?.message).toMatch(/^eth0 of a: /);
    expect(failures[0]?.code).toBe('PARTICIPANT');
    expect(server.session).toBeUndefined();
    expect(machine.descriptors.openCount).toBe(0);
    expect(machine.file.mappings).toBe(0);
  });

  it('tells the front-end before it leaves it', () => {
    const guest = start();
    const reply = guest.request(R.SET_VRING_NUM, state(2, 16), { needReply: true });
    expect(reply?.payload).toEqual(u64(1n));
    expect(guest.socket.peer.closed).toBe(true);
  });

  it('wants features, memory and addresses before a kick', () => {
    const kick = (prepare: (guest: FakeFrontEnd) => void) => {
      const guest = connect();
      guest.must(R.SET_PROTOCOL_FEATURES, u64((1n << 14n) | (1n << 5n) | (1n << 3n)));
      prepare(guest);
      guest.request(R.VRING_KICK, state(TRANSMIT, 0));
      return failures.at(-1)?.message;
    };
    expect(kick(() => {})).toContain('kicked before SET_FEATURES');
    expect(kick((guest) => guest.must(R.SET_FEATURES, u64(MAC)))).toContain('used before SET_VRING_ADDR');
    expect(
      kick((guest) => {
        guest.must(R.SET_FEATURES, u64(MAC));
        guest.placeQueue(TRANSMIT, 16, false);
      }),
    ).toContain('outside shared memory');
    connect().request(R.VRING_KICK, state(TRANSMIT, 0));
    expect(failures.at(-1)?.message).toContain('an in-band kick, which was not negotiated');
  });

  it('refuses a ring that is to be polled or that would stop us', () => {
    connect().request(R.SET_VRING_KICK, u64(0x101n));
    expect(failures.at(-1)?.message).toContain('is to be polled');
    const guest = connect();
    const { event, descriptor } = guest.event();
    event.nonBlocking = false;
    guest.request(R.SET_VRING_CALL, u64(1n), { descriptors: [descriptor] });
    expect(failures.at(-1)?.message).toContain('has no O_NONBLOCK');
    expect(machine.descriptors.openCount).toBe(0);
  });

  it('refuses descriptors that cannot be waited for', () => {
    const file = () => machine.descriptors.add(new FakeFile(new Uint8Array(0)));
    connect().request(R.SET_VRING_KICK, u64(1n), { descriptors: [file()] });
    expect(failures.at(-1)?.message).toContain('kick descriptor cannot be waited for: epoll_ctl');
    const guest = start();
    guest.request(R.SET_BACKEND_REQ_FD, undefined, { descriptors: [file()] });
    expect(failures.at(-1)?.message).toContain('back-end channel descriptor cannot be waited for');
    expect(machine.descriptors.openCount).toBe(0);
  });

  it('closes descriptors that come with the wrong message', () => {
    const guest = start();
    guest.request(R.GET_FEATURES, undefined, { descriptors: [guest.event().descriptor] });
    expect(failures.at(-1)?.message).toContain('1 descriptors where 0 are expected');
    expect(machine.descriptors.openCount).toBe(0);
  });

  it('says where the guest has cut its memory', () => {
    const guest = start();
    machine.file.intact = false;
    guest.queues[TRANSMIT]?.setAvailableIndex(999);
    guest.request(R.VRING_KICK, state(TRANSMIT, 0));
    expect(failures.at(-1)?.message).toMatch(
      /available index 999 .*; the guest has cut the memory it shares shorter$/,
    );
  });

  it('takes several messages at once', () => {
    const guest = start();
    add(guest);
    guest.queues[TRANSMIT]?.needsKick();
    const kick = encode(R.VRING_KICK, state(TRANSMIT, 0), true);
    const features = encode(R.GET_FEATURES, new Uint8Array(0), false);
    const replies = guest.send(Buffer.concat([features, kick, features]));
    expect(replies.map((reply) => reply.request)).toEqual([R.GET_FEATURES, R.VRING_KICK, R.GET_FEATURES]);
  });

  it('resets the device with its status', () => {
    const guest = start();
    add(guest);
    guest.kick(TRANSMIT);
    guest.must(R.SET_STATUS, u64(0n));
    add(guest);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    expect(frames).toHaveLength(1);
    guest.must(R.VRING_KICK, state(TRANSMIT, 0));
    expect(frames).toHaveLength(2);
  });

  it('gives others their turn where a driver by eventfd never stops', () => {
    const guest = connect();
    const [, transmit] = startLikeQemu(guest);
    onFrame = () => {
      guest.queues[TRANSMIT]?.takeUsed();
      if (frames.length < 1000) add(guest);
    };
    add(guest);
    transmit.kick.count++;
    machine.hub.poll();
    expect(frames.length).toBeLessThan(200);
    while (machine.hub.poll() > 0);
    expect(frames).toHaveLength(1000);
  });

  it('fails where a driver that waits in its kick never stops', () => {
    const guest = start();
    onFrame = () => {
      guest.queues[TRANSMIT]?.takeUsed();
      add(guest);
    };
    add(guest);
    guest.queues[TRANSMIT]?.needsKick();
    guest.request(R.VRING_KICK, state(TRANSMIT, 0));
    expect(failures.at(-1)?.message).toContain('requests without end');
  });
});
