// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import { FrontEndRequest as R } from '../../protocols/vhost-user/index.js';
import {
  ConsoleFeature,
  ConsoleQueue,
  ControlEvent,
  featureBit,
  NO_PORT,
  receiveQueueOf,
  transmitQueueOf,
} from '../../protocols/virtio/index.js';
import type { OneclockError } from '../errors.js';
import { encodeControl } from './console-control.js';
import { FakeFrontEnd, FakeMachine, GUEST_BASE, state, u64 } from './testing/fake-front-end.js';
import { VhostUserDeviceServer } from './vhost-user-server.js';
import {
  AGENT_PORT,
  CONSOLE_PORT,
  MAX_PENDING_INPUT_BYTES,
  RELAY_PORT,
  VirtioConsole,
} from './virtio-console.js';

const DATA = GUEST_BASE + 0x8_0000;
/** Bytes of memory that the tests give each queue's buffers. */
const AREA = 0x8000;
const MULTIPORT = featureBit(ConsoleFeature.MULTIPORT);
const { CONTROL_RECEIVE, CONTROL_TRANSMIT } = ConsoleQueue;

let machine: FakeMachine;
let output: [number, string][];
let opened: [number, boolean][];
let raised: number[];
let failures: OneclockError[];
let server: VhostUserDeviceServer;
let device: VirtioConsole;

beforeEach(() => {
  machine = new FakeMachine();
  output = [];
  opened = [];
  raised = [];
  failures = [];
  device = new VirtioConsole(
    { name: 'console of a' },
    {
      output: (port, bytes) => output.push([port, Buffer.from(bytes).toString()]),
      opened: (port, open) => opened.push([port, open]),
    },
  );
  server = new VhostUserDeviceServer(machine, 'console.sock', device, {
    raise: (line) => raised.push(line),
    onClosed() {},
    onFailed: (error) => failures.push(error),
  });
});

const area = (queue: number) => DATA + AREA * queue;

function post(guest: FakeFrontEnd, queue: number, count: number, length = 512): boolean {
  for (let i = 0; i < count; i++) {
    guest.queues[queue]?.add([{ address: area(queue) + length * i, length, writable: true }]);
  }
  return guest.kick(queue);
}

function say(guest: FakeFrontEnd, queue: number, bytes: Uint8Array): void {
  guest.write(area(queue), bytes);
  guest.queues[queue]?.add([{ address: area(queue), length: bytes.length }]);
  guest.kick(queue);
  // As the driver does right after the kick: it spins until the buffer is back.
  if (failures.length === 0) expect(guest.queues[queue]?.takeUsed()).toHaveLength(1);
}

function control(guest: FakeFrontEnd, id: number, event: number, value = 1): void {
  say(guest, CONTROL_TRANSMIT, encodeControl(id, event, value));
}

/** Delivers every interrupt that was raised. @returns the lines */
function deliver(guest: FakeFrontEnd): number[] {
  const lines = raised.splice(0);
  for (const line of lines) {
    const done: boolean[] = [];
    server.deliver(line, (delivered) => done.push(delivered));
    for (const call of guest.calls()) guest.answer(call);
    expect(done).toEqual([true]);
  }
  return lines;
}

/** What is in the used buffers of `queue`, whose buffers have `length` bytes. */
function taken(guest: FakeFrontEnd, queue: number, order: number[], length = 512): Uint8Array[] {
  const used = guest.queues[queue]?.takeUsed() ?? [];
  return used.map((each) => guest.read(area(queue) + length * (order.shift() as number), each.length));
}

function boot(): FakeFrontEnd {
  const guest = new FakeFrontEnd(machine, 'console.sock');
  guest.startLikeUserModeLinux(6, MULTIPORT, 16);
  for (const queue of guest.queues) queue.wantInterrupts(true);
  return guest;
}

/** All that drivers/char/virtio_console.c and two openers do. */
function ready(): FakeFrontEnd {
  const guest = boot();
  post(guest, CONTROL_RECEIVE, 12);
  control(guest, NO_PORT, ControlEvent.DEVICE_READY);
  for (const port of [CONSOLE_PORT, AGENT_PORT]) {
    post(guest, receiveQueueOf(port), 2);
    control(guest, port, ControlEvent.PORT_READY);
    control(guest, port, ControlEvent.PORT_OPEN);
  }
  deliver(guest);
  return guest;
}

describe('VirtioConsole', () => {
  it('says how many ports it has', () => {
    expect([...device.config]).toEqual([0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    expect(device.queues).toHaveLength(6);
  });

  it('has the port of a relay only where it is asked for', () => {
    const withRelay = new VirtioConsole({ name: 'console of b', relay: true }, { output() {} });
    expect([...withRelay.config]).toEqual([0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    expect(withRelay.queues.slice(6).map(({ name }) => name)).toEqual(['port 2 receive', 'port 2 transmit']);
    expect(withRelay.input(RELAY_PORT, new Uint8Array(1))).toBe(true);
    expect(device.input(RELAY_PORT, new Uint8Array(1))).toBe(false);
  });

  it('brings the ports up with the driver', () => {
    const guest = boot();
    post(guest, CONTROL_RECEIVE, 12);
    const order = Array.from({ length: 12 }, (_, i) => i);
    const messages = () => taken(guest, CONTROL_RECEIVE, order);

    control(guest, NO_PORT, ControlEvent.DEVICE_READY);
    expect(deliver(guest)).toEqual([CONTROL_RECEIVE]);
    expect(messages()).toEqual([
      encodeControl(0, ControlEvent.PORT_ADD, 1),
      encodeControl(1, ControlEvent.PORT_ADD, 1),
    ]);
    guest.queues[CONTROL_RECEIVE]?.wantInterrupts(true);
    control(guest, 0, ControlEvent.PORT_READY);
    expect(deliver(guest)).toEqual([CONTROL_RECEIVE]);
    expect(messages()).toEqual([
      encodeControl(0, ControlEvent.CONSOLE_PORT, 1),
      encodeControl(0, ControlEvent.PORT_OPEN, 1),
    ]);
    control(guest, 1, ControlEvent.PORT_READY);
    expect(messages()).toEqual([
      encodeControl(1, ControlEvent.PORT_NAME, 1, 'oneclock.agent'),
      encodeControl(1, ControlEvent.PORT_OPEN, 1),
    ]);
    control(guest, 0, ControlEvent.PORT_OPEN);
    control(guest, 1, ControlEvent.PORT_OPEN);
    control(guest, 1, ControlEvent.PORT_OPEN, 0);
    expect(opened).toEqual([
      [0, true],
      [1, true],
      [1, false],
    ]);
    expect(device.isOpen(CONSOLE_PORT)).toBe(true);
    expect(failures).toEqual([]);
  });

  it('keeps control messages until the driver has buffers for them', () => {
    const guest = boot();
    control(guest, NO_PORT, ControlEvent.DEVICE_READY);
    expect(raised).toEqual([]);
    post(guest, CONTROL_RECEIVE, 1);
    expect(taken(guest, CONTROL_RECEIVE, [0])).toEqual([encodeControl(0, ControlEvent.PORT_ADD, 1)]);
    guest.queues[CONTROL_RECEIVE]?.add([{ address: area(CONTROL_RECEIVE), length: 512, writable: true }]);
    expect(guest.kick(CONTROL_RECEIVE)).toBe(true);
    expect(taken(guest, CONTROL_RECEIVE, [0])).toEqual([encodeControl(1, ControlEvent.PORT_ADD, 1)]);
  });

  it('gives output at the kick, and never interrupts for it', () => {
    const guest = ready();
    for (const queue of guest.queues) queue.wantInterrupts(true);
    say(guest, transmitQueueOf(CONSOLE_PORT), Buffer.from('hello\n'));
    guest.queues[transmitQueueOf(AGENT_PORT)]?.wantInterrupts(true);
    say(guest, transmitQueueOf(AGENT_PORT), Buffer.from('{}'));
    expect(output).toEqual([
      [CONSOLE_PORT, 'hello\n'],
      [AGENT_PORT, '{}'],
    ]);
    expect(raised).toEqual([]);
  });

  it('gives input to the guest and interrupts it', () => {
    const guest = ready();
    const queue = receiveQueueOf(AGENT_PORT);
    guest.queues[queue]?.wantInterrupts(true);
    expect(device.input(AGENT_PORT, Buffer.from('run'))).toBe(true);
    expect(deliver(guest)).toEqual([queue]);
    expect(taken(guest, queue, [0]).map(String)).toEqual([String(Buffer.from('run').toJSON().data)]);
  });

  it('keeps input until there is room, in order and whole', () => {
    const guest = ready();
    const queue = receiveQueueOf(AGENT_PORT);
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i * 7);
    expect(device.input(AGENT_PORT, bytes.slice(0, 700))).toBe(true);
    expect(device.input(AGENT_PORT, bytes.slice(700, 2000))).toBe(true);
    expect(device.input(AGENT_PORT, bytes.slice(2000))).toBe(true);
    const got = taken(guest, queue, [0, 1]);
    for (let round = 0; round < 5; round++) {
      expect(post(guest, queue, 1)).toBe(true);
      got.push(...taken(guest, queue, [0]));
    }
    expect(Buffer.concat(got)).toEqual(Buffer.from(bytes));
    // Nothing waits any more: the driver need not tell of its buffers.
    expect(post(guest, queue, 1)).toBe(false);
  });

  it('keeps input until the port is open, and drops it when it closes', () => {
    const guest = boot();
    device.input(AGENT_PORT, Buffer.from('early'));
    post(guest, receiveQueueOf(AGENT_PORT), 2);
    expect(guest.queues[receiveQueueOf(AGENT_PORT)]?.takeUsed()).toEqual([]);
    control(guest, AGENT_PORT, ControlEvent.PORT_OPEN);
    expect(taken(guest, receiveQueueOf(AGENT_PORT), [0])).toEqual([Uint8Array.from(Buffer.from('early'))]);
    control(guest, AGENT_PORT, ControlEvent.PORT_OPEN, 0);
    device.input(AGENT_PORT, Buffer.from('for nobody'));
    server.session?.close();
    expect(device.isOpen(AGENT_PORT)).toBe(false);
  });

  it('takes so much input and no more', () => {
    expect(device.input(AGENT_PORT, new Uint8Array(MAX_PENDING_INPUT_BYTES - 1))).toBe(true);
    expect(device.input(AGENT_PORT, new Uint8Array(2))).toBe(false);
    expect(device.input(AGENT_PORT, new Uint8Array(1))).toBe(true);
    expect(device.input(CONSOLE_PORT, new Uint8Array(1))).toBe(true);
    expect(device.input(2, new Uint8Array(1))).toBe(false);
  });

  it('is a plain console for a driver without ports', () => {
    const guest = new FakeFrontEnd(machine, 'console.sock');
    guest.startLikeUserModeLinux(2, 0n, 16);
    post(guest, receiveQueueOf(CONSOLE_PORT), 1);
    expect(opened).toEqual([[CONSOLE_PORT, true]]);
    device.input(CONSOLE_PORT, Buffer.from('x'));
    expect(taken(guest, receiveQueueOf(CONSOLE_PORT), [0])).toEqual([Uint8Array.from(Buffer.from('x'))]);
    say(guest, transmitQueueOf(CONSOLE_PORT), Buffer.from('y'));
    expect(output).toEqual([[CONSOLE_PORT, 'y']]);
  });

  it('forgets a guest that goes', () => {
    const guest = ready();
    guest.disconnect();
    expect(opened.slice(-2)).toEqual([
      [0, false],
      [1, false],
    ]);
    expect(machine.descriptors.openCount).toBe(0);
    const again = ready();
    say(again, transmitQueueOf(CONSOLE_PORT), Buffer.from('again'));
    expect(output).toEqual([[CONSOLE_PORT, 'again']]);
  });

  it.each([
    ['a short message', Uint8Array.of(1, 2, 3), 'control message of 3 bytes'],
    ['a long message', new Uint8Array(5000), 'control message of 5000 bytes'],
    ['an unknown port', encodeControl(2, ControlEvent.PORT_OPEN, 1), 'about port 2 of 2'],
    ['an event of ours', encodeControl(1, ControlEvent.PORT_ADD, 1), 'not a driver'],
    ['an unknown event', encodeControl(1, 99, 1), 'control message 99 about port 1'],
    [
      'a driver that gives up',
      encodeControl(NO_PORT, ControlEvent.DEVICE_READY, 0),
      'could not set up the console',
    ],
    ['a port that gives up', encodeControl(1, ControlEvent.PORT_READY, 0), 'could not set up port 1'],
  ])('fails the session for %s', (_what, message, text) => {
    const guest = boot();
    guest.write(area(CONTROL_TRANSMIT), message);
    guest.queues[CONTROL_TRANSMIT]?.add([{ address: area(CONTROL_TRANSMIT), length: message.length }]);
    guest.queues[CONTROL_TRANSMIT]?.needsKick();
    expect(guest.request(R.VRING_KICK, state(CONTROL_TRANSMIT, 0), { needReply: true })?.payload).toEqual(
      u64(1n),
    );
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining(text)]);
    expect(failures[0]?.message).toMatch(/^console of a: /);
  });

  it('fails the session for a driver that asks and never listens', () => {
    const guest = boot();
    const say = () => {
      guest.write(area(CONTROL_TRANSMIT), encodeControl(NO_PORT, ControlEvent.DEVICE_READY, 1));
      guest.queues[CONTROL_TRANSMIT]?.add([{ address: area(CONTROL_TRANSMIT), length: 8 }]);
      guest.request(R.VRING_KICK, state(CONTROL_TRANSMIT, 0));
      guest.queues[CONTROL_TRANSMIT]?.takeUsed();
    };
    for (let i = 0; i < 40 && failures.length === 0; i++) say();
    expect(failures.map((error) => error.message)).toEqual([
      expect.stringContaining('64 control messages wait'),
    ]);
  });
});
