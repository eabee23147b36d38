// SPDX-License-Identifier: MIT

/**
 * How long the device side takes, without system calls. Not a test: compile it with tsc and run it with Node.js.
 *
 *     npx tsc --noEmit false --outDir build/bench && node build/bench/backend/devices/testing/benchmark.js
 */
import type { Channel, ChannelHandler, Hub } from '../../../host/native/hub.js';
import {
  encodeU64,
  encodeVringState,
  Flag,
  ProtocolFeature,
  FrontEndRequest as R,
} from '../../../protocols/vhost-user/index.js';
import { Feature, featureBit, NetFeature, NetQueue } from '../../../protocols/virtio/index.js';
import { VhostUserSession } from '../vhost-user-session.js';
import { VirtioNet } from '../virtio-net.js';
import { DriverQueue } from './driver-queue.js';
import { encode, FakeMachine, GUEST_BASE, regionBytes, state, USER_BASE, u64 } from './fake-front-end.js';

const ROUNDS = 2_000_000;
const SIZE = 256;
const DATA = GUEST_BASE + 0x8_0000;

const handlers: ChannelHandler[] = [];
let sent = 0;
const hub = {
  open(_descriptor: number, handler: ChannelHandler): Channel {
    handlers.push(handler);
    return { send: () => sent++, close() {} };
  },
} as unknown as Hub;

const machine = new FakeMachine();
let frames = 0;
const raised: number[] = [];
const net = new VirtioNet({ name: 'net', mac: new Uint8Array(6) }, { transmit: () => frames++ });
const session = new VhostUserSession(
  { hub, mapShared: machine.mapShared, descriptors: machine.descriptors },
  0,
  net,
  {
    raise: (line) => raised.push(line),
    onClosed: () => {},
    onFailed(error) {
      throw error;
    },
  },
);
const say = (request: number, payload: Uint8Array = new Uint8Array(0), descriptors: number[] = []) =>
  session.onData(encode(request, payload, true), descriptors);
const bit = (feature: number) => featureBit(feature);
say(
  R.SET_PROTOCOL_FEATURES,
  u64(
    bit(ProtocolFeature.REPLY_ACK) |
      bit(ProtocolFeature.BACKEND_REQ) |
      bit(ProtocolFeature.INBAND_NOTIFICATIONS),
  ),
);
say(R.SET_BACKEND_REQ_FD, undefined, [machine.descriptors.socketPair().descriptor]);
say(
  R.SET_FEATURES,
  u64(bit(NetFeature.MAC) | bit(Feature.VERSION_1) | bit(Feature.RING_EVENT_IDX) | bit(30)),
);
say(R.SET_MEM_TABLE, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, ...regionBytes()), [
  machine.descriptors.add(machine.file),
]);
const rx = new DriverQueue(machine.memory, GUEST_BASE, GUEST_BASE + 0x1000, SIZE, true);
const tx = new DriverQueue(machine.memory, GUEST_BASE, rx.end, SIZE, true);
[rx, tx].forEach((queue, index) => {
  const user = (address: number) => BigInt(address - GUEST_BASE + USER_BASE);
  const addresses = [user(queue.descriptorTable), user(queue.usedRing), user(queue.availableRing), 0n];
  say(R.SET_VRING_NUM, state(index, SIZE));
  const payload = new Uint8Array(40);
  payload[0] = index;
  payload.set(new Uint8Array(new BigUint64Array(addresses).buffer), 8);
  say(R.SET_VRING_ADDR, payload);
  say(R.SET_VRING_ENABLE, state(index, 1));
});

/** Runs `work` often enough, and prints nanoseconds for each time beyond `baseline`. */
function measure(what: string, work: (round: number) => void, baseline = 0): number {
  for (let i = 0; i < 100_000; i++) work(i);
  const from = process.hrtime.bigint();
  for (let i = 0; i < ROUNDS; i++) work(i);
  const each = Number(process.hrtime.bigint() - from) / ROUNDS;
  console.log(`${what}: ${(each - baseline).toFixed(0)} ns`);
  return each;
}

const ring = (queue: DriverQueue) =>
  new Uint16Array(
    machine.memory.buffer,
    machine.memory.byteOffset + queue.availableRing - GUEST_BASE,
    SIZE + 3,
  );
const available = { rx: ring(rx), tx: ring(tx) };
for (let i = 0; i < SIZE; i++) {
  tx.describe(i, DATA, 12 + 1500, 0, 0);
  rx.describe(i, DATA + 0x2000, 1600, 2, 0);
  available.tx[2 + i] = available.rx[2 + i] = i;
}
const kick = encodeVringState(R.VRING_KICK, Flag.NEED_REPLY, NetQueue.TRANSMIT, 0);
const nothing: number[] = [];
let index = 0;
measure('in-band kick with one frame of 1500 bytes', () => {
  index = (index + 1) & 0xffff;
  available.tx[1] = index;
  session.onData(kick, nothing);
});
for (let i = 0; i < SIZE; i++) tx.describe(i, DATA, 12 + 60, 0, 0);
measure('in-band kick with one frame of 60 bytes', () => {
  index = (index + 1) & 0xffff;
  available.tx[1] = index;
  session.onData(kick, nothing);
});
measure('in-band kick with 8 frames of 60 bytes', () => {
  index = (index + 8) & 0xffff;
  available.tx[1] = index;
  session.onData(kick, nothing);
});
measure('in-band kick with nothing to do', () => session.onData(kick, nothing));

session.onData(encodeVringState(R.VRING_KICK, Flag.NEED_REPLY, NetQueue.RECEIVE, 0), nothing);
const answer = encodeU64(4, Flag.REPLY, 0n);
const backEnd = handlers[1] as ChannelHandler;
const frame = new Uint8Array(1500);
let received = 0;
const receive = measure('receive a frame of 1500 bytes', () => {
  received = (received + 1) & 0xffff;
  available.rx[1] = received;
  net.receive(frame);
});
raised.length = 0;
let delivered = 0;
const done = () => {
  delivered++;
};
for (const line of [NetQueue.RECEIVE, NetQueue.TRANSMIT]) {
  session.deliver(line, done);
  backEnd.onData(answer, nothing);
}
measure(
  'interrupt: raise, deliver, answer',
  () => {
    received = (received + 1) & 0xffff;
    available.rx[1] = received;
    available.rx[2 + SIZE] = received - 1;
    net.receive(frame);
    session.deliver(NetQueue.RECEIVE, done);
    backEnd.onData(answer, nothing);
    raised.length = 0;
  },
  receive,
);
console.log({ frames, sent, delivered, counters: net.counters });
