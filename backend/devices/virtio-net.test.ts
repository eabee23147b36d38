// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import { BackEndRequest, FrontEndRequest as R } from '../../protocols/vhost-user/index.js';
import { featureBit, NetFeature, NetQueue } from '../../protocols/virtio/index.js';
import type { OneclockError } from '../errors.js';
import type { DriverQueue } from './testing/driver-queue.js';
import { FakeFrontEnd, FakeMachine, GUEST_BASE, state, u64 } from './testing/fake-front-end.js';
import { CONFIG_LINE } from './vhost-user-rings.js';
import { VhostUserDeviceServer } from './vhost-user-server.js';
import { type NetOptions, VirtioNet } from './virtio-net.js';

const DATA = GUEST_BASE + 0x8_0000;
const TABLE = GUEST_BASE + 0x7_0000;
const WANTED = featureBit(NetFeature.MAC) | featureBit(NetFeature.STATUS) | featureBit(NetFeature.MTU);
const { RECEIVE, TRANSMIT } = NetQueue;

let machine: FakeMachine;
let frames: Uint8Array[];
let raised: number[];
let failures: OneclockError[];
let closed: string[];
let server: VhostUserDeviceServer;
let net: VirtioNet;

function serve(options: Partial<NetOptions> = {}): void {
  machine = new FakeMachine();
  frames = [];
  raised = [];
  failures = [];
  closed = [];
  net = new VirtioNet(
    { name: 'eth0 of a', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), ...options },
    { transmit: (frame) => frames.push(frame) },
  );
  server = new VhostUserDeviceServer(machine, 'net.sock', net, {
    raise: (line) => raised.push(line),
    onClosed: (reason) => closed.push(reason),
    onFailed: (error) => failures.push(error),
  });
}

function start(wanted = WANTED, size = 16): FakeFrontEnd {
  const guest = new FakeFrontEnd(machine, 'net.sock');
  guest.startLikeUserModeLinux(2, wanted, size);
  return guest;
}

/** The driver's packet at `at`: a header of `header` bytes and a frame of `length` bytes of `fill`. */
function packet(guest: FakeFrontEnd, at: number, length: number, fill: number, header = 12): void {
  guest.write(at, new Uint8Array(header));
  guest.write(at + header, new Uint8Array(length).fill(fill));
}

function transmit(guest: FakeFrontEnd, length: number, fill: number): void {
  packet(guest, DATA, length, fill);
  guest.queues[TRANSMIT]?.add([{ address: DATA, length: 12 + length }]);
  guest.kick(TRANSMIT);
}

function postBuffers(guest: FakeFrontEnd, count: number, length = 1600): void {
  for (let i = 0; i < count; i++) {
    guest.queues[RECEIVE]?.add([{ address: DATA + 2048 * i, length, writable: true }]);
  }
  guest.kick(RECEIVE);
}

const frame = (length: number, fill: number) => new Uint8Array(length).fill(fill);

beforeEach(() => serve());

describe('VirtioNet under User-Mode Linux', () => {
  it('offers what the driver needs', () => {
    serve({ mtu: 1400 });
    const guest = start();
    const config = guest.request(R.GET_CONFIG, configRequest(0, 12));
    expect([...(config?.payload.subarray(12) ?? [])]).toEqual([2, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0x78, 0x05]);
    const features = guest.get(R.GET_FEATURES);
    expect(features).toBe((1n << 32n) | (7n << 28n) | WANTED);
    expect(guest.request(R.GET_CONFIG, configRequest(0, 257))?.payload).toHaveLength(0);
    expect(guest.request(R.GET_CONFIG, configRequest(8, 60))?.payload).toHaveLength(72);
  });

  it('takes the frames of a kick before it answers, and gives copies', () => {
    const guest = start();
    transmit(guest, 60, 1);
    transmit(guest, 1514, 2);
    expect(frames.map((each) => [each.length, each[0], each.at(-1)])).toEqual([
      [60, 1, 1],
      [1514, 2, 2],
    ]);
    expect(guest.queues[TRANSMIT]?.takeUsed()).toHaveLength(2);
    expect(net.counters.transmitted).toBe(2);
  });

  it('takes a frame in many descriptors, direct and indirect', () => {
    const guest = start(WANTED, 64);
    const tx = guest.queues[TRANSMIT] as DriverQueue;
    const pieces = Array.from({ length: 20 }, (_, i) => ({ address: DATA + 0x1000 + 64 * i, length: 7 }));
    for (const [i, piece] of pieces.entries()) guest.write(piece.address, frame(7, i));
    guest.write(DATA, new Uint8Array(12));
    tx.add([{ address: DATA, length: 12 }, ...pieces]);
    tx.add([{ address: DATA, length: 12 }, ...pieces], TABLE);
    guest.kick(TRANSMIT);
    const expected = Array.from({ length: 140 }, (_, i) => Math.floor(i / 7));
    expect(frames.map((each) => [...each])).toEqual([expected, expected]);
  });

  it('interrupts for sent frames only where the driver asks', () => {
    const guest = start();
    guest.queues[TRANSMIT]?.wantInterrupts(false);
    transmit(guest, 60, 1);
    expect(raised).toEqual([]);
    guest.queues[TRANSMIT]?.takeUsed();
    guest.queues[TRANSMIT]?.wantInterrupts(true);
    transmit(guest, 60, 1);
    expect(raised).toEqual([TRANSMIT]);
  });

  it('gives frames to the guest, whose interrupt waits for its delivery', () => {
    const guest = start();
    postBuffers(guest, 3);
    guest.queues[RECEIVE]?.wantInterrupts(true);
    expect(net.receive(frame(60, 7))).toBe(true);
    expect(net.receive(frame(100, 8))).toBe(true);
    expect(raised).toEqual([RECEIVE]);
    expect(guest.calls()).toEqual([]);

    const done: boolean[] = [];
    server.deliver(RECEIVE, (delivered) => done.push(delivered));
    const [call] = guest.calls();
    expect(call).toMatchObject({ request: BackEndRequest.VRING_CALL, flags: 9, payload: state(RECEIVE, 0) });
    expect(done).toEqual([]);
    if (call) guest.answer(call);
    expect(done).toEqual([true]);

    const used = guest.queues[RECEIVE]?.takeUsed();
    expect(used?.map((each) => each.length)).toEqual([72, 112]);
    expect([...guest.read(DATA, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(guest.read(DATA + 12, 61)).toEqual(Uint8Array.of(...frame(60, 7), 0));
  });

  it('merges interrupts until they are delivered', () => {
    const guest = start();
    postBuffers(guest, 8);
    for (let i = 0; i < 3; i++) {
      guest.queues[RECEIVE]?.takeUsed();
      guest.queues[RECEIVE]?.wantInterrupts(true);
      net.receive(frame(60, i));
    }
    expect(raised).toEqual([RECEIVE]);
    const done: boolean[] = [];
    server.deliver(RECEIVE, (delivered) => done.push(delivered));
    guest.queues[RECEIVE]?.takeUsed();
    guest.queues[RECEIVE]?.wantInterrupts(true);
    net.receive(frame(60, 3));
    expect(raised).toEqual([RECEIVE, RECEIVE]);
    for (const call of guest.calls()) guest.answer(call);
    expect(done).toEqual([true]);
    server.deliver(RECEIVE, (delivered) => done.push(delivered));
    for (const call of guest.calls()) guest.answer(call);
    expect(done).toEqual([true, true]);
    server.deliver(RECEIVE, (delivered) => done.push(delivered));
    expect(guest.calls()).toEqual([]);
    expect(done).toEqual([true, true, false]);
  });

  it('drops and counts what there is no buffer for, and hears of new buffers only then', () => {
    const guest = start();
    expect(net.receive(frame(60, 0))).toBe(false);
    postBuffers(guest, 1);
    guest.queues[RECEIVE]?.add([{ address: DATA + 8192, length: 1600, writable: true }]);
    expect(guest.kick(RECEIVE)).toBe(false);
    expect(net.receive(frame(60, 1))).toBe(true);
    expect(net.receive(frame(60, 1))).toBe(true);
    expect(net.receive(frame(60, 2))).toBe(false);
    guest.queues[RECEIVE]?.takeUsed();
    guest.queues[RECEIVE]?.add([{ address: DATA, length: 1600, writable: true }]);
    expect(guest.kick(RECEIVE)).toBe(true);
    expect(net.receive(frame(60, 3))).toBe(true);
    expect(net.counters).toMatchObject({ received: 3, noBuffer: 2 });
  });

  it('leaves a buffer alone that is too short for a frame', () => {
    const guest = start();
    postBuffers(guest, 1, 100);
    expect(net.receive(frame(89, 1))).toBe(false);
    expect(net.receive(frame(88, 2))).toBe(true);
    expect(net.counters).toMatchObject({ received: 1, tooLong: 1 });
  });

  it('puts a frame into several buffers where that was negotiated', () => {
    serve({ mergeable: true });
    const guest = start(WANTED | featureBit(NetFeature.MRG_RXBUF));
    postBuffers(guest, 4, 100);
    const bytes = Uint8Array.from({ length: 250 }, (_, i) => i);
    expect(net.receive(bytes)).toBe(true);
    expect(guest.queues[RECEIVE]?.takeUsed().map((each) => each.length)).toEqual([100, 100, 62]);
    expect(guest.read(DATA + 10, 2)).toEqual(Uint8Array.of(3, 0));
    expect(guest.read(DATA + 12, 88)).toEqual(bytes.slice(0, 88));
    expect(guest.read(DATA + 2048, 100)).toEqual(bytes.slice(88, 188));
    expect(guest.read(DATA + 4096, 62)).toEqual(bytes.slice(188));
    expect(net.receive(bytes)).toBe(false);
    expect(net.receive(frame(60, 1))).toBe(true);
    expect(net.counters).toMatchObject({ received: 2, noBuffer: 1 });
  });

  it('speaks the legacy header to a driver without VERSION_1', () => {
    const guest = new FakeFrontEnd(machine, 'net.sock');
    guest.must(R.SET_PROTOCOL_FEATURES, u64((1n << 3n) | (1n << 5n) | (1n << 14n)));
    guest.openBackEnd();
    guest.must(R.SET_FEATURES, u64(featureBit(NetFeature.MAC)));
    guest.setMemory();
    const rx = guest.placeQueue(RECEIVE, 16, false);
    const tx = guest.placeQueue(TRANSMIT, 16, false);
    rx.add([
      { address: DATA, length: 10, writable: true },
      { address: DATA + 16, length: 200, writable: true },
    ]);
    expect(guest.kick(RECEIVE)).toBe(true);
    expect(net.receive(frame(60, 5))).toBe(true);
    expect(rx.takeUsed()).toEqual([{ id: 0, length: 70 }]);
    expect(guest.read(DATA, 11)).toEqual(new Uint8Array(11));
    expect(guest.read(DATA + 16, 61)).toEqual(Uint8Array.of(...frame(60, 5), 0));
    packet(guest, DATA, 60, 6, 10);
    tx.add([
      { address: DATA, length: 10 },
      { address: DATA + 10, length: 60 },
    ]);
    guest.kick(TRANSMIT);
    expect(frames).toEqual([frame(60, 6)]);
    expect(raised).toEqual([RECEIVE, TRANSMIT]);
  });

  it('tells of the link through the configuration', () => {
    const guest = start();
    transmit(guest, 60, 1);
    raised.length = 0;
    net.setLink(true);
    net.setLink(false);
    expect(raised).toEqual([CONFIG_LINE]);
    const done: boolean[] = [];
    server.deliver(CONFIG_LINE, (delivered) => done.push(delivered));
    const [call] = guest.calls();
    expect(call).toMatchObject({ request: BackEndRequest.CONFIG_CHANGE_MSG, flags: 9 });
    expect(call?.payload).toHaveLength(0);
    if (call) guest.answer(call);
    expect(done).toEqual([true]);
    expect(guest.request(R.GET_CONFIG, configRequest(6, 2))?.payload.subarray(12)).toEqual(
      Uint8Array.of(0, 0),
    );
  });

  it.each([
    ['a runt', 12 + 13, 0, 'a frame of 13 bytes, where 14 to 65550'],
    ['no frame', 11, 0, 'a frame of -1 bytes'],
    ['a giant', 12 + 65_551, 0, 'a frame of 65551 bytes'],
    ['a checksum to fill in', 12 + 60, 1, 'asks for an offload (flags 1, segmentation 0)'],
  ])('fails the session for %s', (_what, length, flags, text) => {
    const guest = start();
    guest.write(DATA, Uint8Array.of(flags));
    guest.queues[TRANSMIT]?.add([{ address: DATA, length }]);
    guest.queues[TRANSMIT]?.needsKick();
    const reply = guest.request(R.VRING_KICK, state(TRANSMIT, 0), { needReply: true });
    expect(reply?.payload).toEqual(u64(1n));
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining(text)]);
    expect(failures[0]?.message).toMatch(
      /^eth0 of a: queue 1 \(transmit\) head \d+ .* \(last message: VRING_KICK\)$/,
    );
    expect(guest.socket.peer.closed).toBe(true);
  });

  it('fails the session, and nobody else, for a receive queue that is broken', () => {
    const guest = start();
    postBuffers(guest, 1);
    guest.queues[RECEIVE]?.setAvailableIndex(500);
    expect(net.receive(frame(60, 1))).toBe(false);
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining('available index 500')]);
    expect(net.receive(frame(60, 1))).toBe(false);
    expect(server.session).toBeUndefined();
  });

  it('lets an error of ours through', () => {
    const guest = start();
    net = new VirtioNet(
      { name: 'eth0 of b', mac: new Uint8Array(6) },
      {
        transmit() {
          throw new TypeError('ours');
        },
      },
    );
    new VhostUserDeviceServer(machine, 'b.sock', net, { raise() {}, onClosed() {}, onFailed() {} });
    const other = new FakeFrontEnd(machine, 'b.sock');
    other.startLikeUserModeLinux(2, WANTED, 16);
    expect(() => transmit(other, 60, 1)).toThrow('ours');
    expect(guest.socket.closed).toBe(false);
  });
});

function configRequest(offset: number, size: number): Uint8Array {
  const payload = new Uint8Array(12 + size);
  const view = new DataView(payload.buffer);
  view.setUint32(0, offset, true);
  view.setUint32(4, size, true);
  return payload;
}
