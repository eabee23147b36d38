// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { DriverQueue } from '../../backend/devices/testing/driver-queue.js';
import { addon, type Channel, createSharedMemory, NativeHub } from '../../host/native/index.js';
import { type Message, MessageDecoder, MessageEncoder, Op } from '../../protocols/um-timetravel/index.js';
import {
  encodeU64,
  encodeVringState,
  F_PROTOCOL_FEATURES,
  Flag,
  HEADER_BYTES,
  ProtocolFeature,
  FrontEndRequest as R,
  readU32,
  readU64,
  writeHeader,
} from '../../protocols/vhost-user/index.js';
import { DescriptorFlag, Feature, featureBit } from '../../protocols/virtio/index.js';

/**
 * A program that is started in the place of a guest's kernel, with a kernel's arguments, and breaks the protocols.
 * Its first argument says how; one of {@link BEHAVIOURS}. Real kernels do not misbehave on command.
 */

const NEVER_MS = 60_000;
const QUEUE_SIZE = 8;
const MEMORY_BYTES = 1 << 20;
const GUEST_BASE = 0x10_0000;
const USER_BASE = 0x7f00_0000_0000n;
const BUFFER = GUEST_BASE + 0x8_0000;

/** A stream socket to the controller: what comes is kept until it is asked for. */
class Connection {
  readonly channel: Channel;
  closed = false;
  #bytes = Buffer.alloc(0);

  constructor(
    private readonly hub: NativeHub,
    descriptor: number,
  ) {
    this.channel = hub.open(descriptor, {
      onData: (bytes, descriptors) => {
        for (const each of descriptors) closeSync(each);
        this.#bytes = Buffer.concat([this.#bytes, bytes]);
      },
      onClose: () => {
        this.closed = true;
      },
    });
  }

  /** Waits for `count` bytes. The controller may rather end us. */
  take(count: number): Buffer {
    while (this.#bytes.length < count && !this.closed) this.hub.poll(NEVER_MS);
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

class FakeGuest {
  readonly hub = new NativeHub();
  readonly timeSocket: string;
  readonly deviceSockets: readonly string[];
  #time: Connection | undefined;
  #sequence = 0;
  readonly #encoder = new MessageEncoder();

  constructor(args: readonly string[]) {
    const values = (name: string) =>
      args.filter((arg) => arg.startsWith(`${name}=`)).map((arg) => arg.slice(name.length + 1));
    this.timeSocket = values('time-travel')[0]?.split(':')[2] ?? '';
    this.deviceSockets = values('virtio_uml.device').map((value) => value.split(':')[0] as string);
  }

  get time(): Connection {
    this.#time ??= new Connection(this.hub, addon.connectUnix(this.timeSocket));
    return this.#time;
  }

  device(place: number): Connection {
    return new Connection(this.hub, addon.connectUnix(this.deviceSockets[place] as string));
  }

  send(op: number, time = 0n, sequence = ++this.#sequence): void {
    this.time.channel.send(this.#encoder.encode(op, sequence, time));
  }

  receive(): Message {
    const bytes = this.time.take(16);
    const found: Message[] = [];
    new MessageDecoder().push(bytes, (op, sequence, time) => found.push({ op, sequence, time }));
    // The controller has closed the socket, and will end this process.
    return found[0] ?? this.linger();
  }

  /** Sends, and waits for the answer, as a guest that goes by messages alone. */
  ask(op: number, time = 0n): Message {
    this.send(op, time);
    for (;;) {
      const message = this.receive();
      if (message.op === Op.ACK) return message;
      this.send(Op.ACK, 0n, message.sequence);
    }
  }

  start(): void {
    this.ask(Op.START, 1n);
  }

  /** Does nothing any more, with all its sockets open. */
  linger(): never {
    for (;;) this.hub.poll(NEVER_MS);
  }
}

/** The front-end of a device that does all that a guest's driver does, up to its first buffer. */
class FakeDriver {
  readonly queue: DriverQueue;
  readonly #connection: Connection;
  readonly #memory = createSharedMemory(MEMORY_BYTES);

  constructor(guest: FakeGuest, place: number, queue: number) {
    this.#connection = guest.device(place);
    this.queue = new DriverQueue(this.#memory.bytes, GUEST_BASE, GUEST_BASE + 0x1000, QUEUE_SIZE, false);
    this.must(R.SET_OWNER);
    const offered = this.get(R.GET_FEATURES);
    const wanted =
      featureBit(ProtocolFeature.REPLY_ACK) |
      featureBit(ProtocolFeature.BACKEND_REQ) |
      featureBit(ProtocolFeature.CONFIG) |
      featureBit(ProtocolFeature.INBAND_NOTIFICATIONS);
    this.must(R.SET_PROTOCOL_FEATURES, u64(this.get(R.GET_PROTOCOL_FEATURES) & wanted));
    const [mine, theirs] = addon.socketPair();
    new Connection(guest.hub, mine);
    this.must(R.SET_BACKEND_REQ_FD, undefined, [theirs]);
    const transport =
      featureBit(Feature.RING_INDIRECT_DESC) |
      featureBit(Feature.VERSION_1) |
      featureBit(F_PROTOCOL_FEATURES);
    this.must(R.SET_FEATURES, u64(offered & transport));
    const region = new BigUint64Array([0n, BigInt(GUEST_BASE), BigInt(MEMORY_BYTES), USER_BASE, 0n]);
    const table = new Uint8Array(72);
    table.set(new Uint8Array(region.buffer));
    table[0] = 1;
    this.must(R.SET_MEM_TABLE, table, [this.#memory.descriptor]);
    this.must(R.SET_VRING_NUM, state(queue, QUEUE_SIZE));
    this.must(R.SET_VRING_BASE, state(queue, 0));
    this.must(R.SET_VRING_ADDR, this.#addresses(queue));
    this.must(R.SET_VRING_ENABLE, state(queue, 1));
  }

  /** Says that there is something in the queue. No answer is waited for: it may not come. */
  kick(queue: number): void {
    this.#send(R.VRING_KICK, state(queue, 0), []);
  }

  get(request: number): bigint {
    this.#connection.channel.send(message(request, new Uint8Array(0), 0));
    return readU64(this.#reply(), 0);
  }

  must(request: number, payload: Uint8Array = new Uint8Array(0), descriptors: readonly number[] = []): void {
    this.#send(request, payload, descriptors);
    const status = readU64(this.#reply(), 0);
    if (status !== 0n) throw new Error(`request ${request} failed with ${status}`);
  }

  #send(request: number, payload: Uint8Array, descriptors: readonly number[]): void {
    this.#connection.channel.send(message(request, payload, Flag.NEED_REPLY), descriptors);
  }

  #reply(): Uint8Array {
    const header = this.#connection.take(HEADER_BYTES);
    return this.#connection.take(readU32(header, 8));
  }

  #addresses(queue: number): Uint8Array {
    const user = (address: number) => BigInt(address - GUEST_BASE) + USER_BASE;
    const { descriptorTable, usedRing, availableRing } = this.queue;
    const words = [BigInt(queue), user(descriptorTable), user(usedRing), user(availableRing), 0n];
    return new Uint8Array(new BigUint64Array(words).buffer);
  }
}

function message(request: number, payload: Uint8Array, flags: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, request, flags, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function u64(value: bigint): Uint8Array {
  return encodeU64(0, 0, value).slice(HEADER_BYTES);
}

function state(index: number, value: number): Uint8Array {
  return encodeVringState(0, 0, index, value).slice(HEADER_BYTES);
}

/** Lets wall time go by: what others do meanwhile sends us nothing. */
function waitMs(span: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, span);
}

/** Has the console's output queue hold one chain, which `describe` has made, and tells of it. */
function offer(guest: FakeGuest, describe: (queue: DriverQueue) => void): void {
  const OUTPUT = 1;
  guest.start();
  const driver = new FakeDriver(guest, 0, OUTPUT);
  describe(driver.queue);
  driver.queue.offer(0);
  driver.kick(OUTPUT);
}

const BEHAVIOURS: Readonly<Record<string, (guest: FakeGuest) => void>> = {
  // It is no guest at all.
  'does nothing': () => undefined,
  'exits before it connects': () => process.exit(3),
  'dies before it connects': () => process.kill(process.pid, 'SIGSEGV'),

  // The time socket.
  'sends garbage for time': (guest) => guest.time.channel.send(randomBytes(4096)),
  'sends half a message': (guest) => {
    guest.time.channel.send(new Uint8Array(7));
    guest.hub.close();
  },
  'sends WAIT first': (guest) => guest.send(Op.WAIT),
  'sends START twice': (guest) => {
    guest.start();
    guest.send(Op.START);
  },
  'sends START twice at once': (guest) => {
    guest.send(Op.START);
    guest.send(Op.START);
  },
  'sends WAIT twice': (guest) => {
    guest.start();
    guest.send(Op.WAIT);
    guest.send(Op.WAIT);
  },
  'sends RUN': (guest) => {
    guest.start();
    guest.send(Op.RUN);
  },
  'sends an unknown operation': (guest) => {
    guest.start();
    guest.send(99);
  },
  'runs past its time': (guest) => {
    guest.start();
    guest.send(Op.UPDATE, 1n << 60n);
  },
  'goes back in time': (guest) => {
    guest.start();
    guest.ask(Op.UPDATE, 5_000n);
    guest.send(Op.UPDATE, 4_999n);
  },
  'asks for the past': (guest) => {
    guest.start();
    guest.ask(Op.UPDATE, 5_000n);
    guest.send(Op.REQUEST, 4_999n);
  },
  'goes on while it waits': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    guest.send(Op.UPDATE, 6_000n);
  },
  'broadcasts while it waits': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    guest.send(Op.BROADCAST, 1n);
  },
  'asks for the past of others': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    // The others are further by then.
    waitMs(50);
    guest.ask(Op.REQUEST, 1_000n);
  },
  'kicks while it waits': (guest) => {
    guest.start();
    const driver = new FakeDriver(guest, 0, 1);
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    waitMs(50);
    driver.queue.add([{ address: BUFFER, length: 16 }]);
    driver.kick(1);
  },
  'ends while it waits': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    process.exit(5);
  },
  'acknowledges nothing': (guest) => {
    guest.start();
    guest.send(Op.ACK, 0n, 77);
  },
  'acknowledges with a wrong sequence': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 5_000n);
    guest.send(Op.WAIT);
    // The acknowledgement of WAIT, then FREE_UNTIL or RUN.
    guest.receive();
    guest.send(Op.ACK, 0n, guest.receive().sequence + 1);
  },
  'closes its time socket at once': (guest) => {
    guest.time.channel.close();
  },
  'closes its time socket after START': (guest) => {
    guest.send(Op.START);
    guest.time.channel.close();
  },
  'closes its time socket while it runs': (guest) => {
    guest.start();
    guest.time.channel.close();
  },
  'closes its time socket while it waits': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 1n << 60n);
    guest.ask(Op.WAIT);
    guest.time.channel.close();
  },
  'closes its time socket with a message unanswered': (guest) => {
    guest.start();
    guest.ask(Op.REQUEST, 5_000n);
    guest.send(Op.WAIT);
    guest.receive();
    guest.receive();
    guest.time.channel.close();
  },
  'reads nothing': (guest) => {
    guest.start();
    // Each is answered, until there is no room for answers.
    for (let i = 0; i < 100_000; i++) guest.send(Op.GET);
  },

  // The device sockets.
  'sends garbage to a device': (guest) => {
    guest.start();
    guest.device(0).channel.send(randomBytes(4096));
  },
  'sends a message that is too long to a device': (guest) => {
    guest.start();
    const bytes = new Uint8Array(HEADER_BYTES);
    writeHeader(bytes, R.SET_MEM_TABLE, 0, 0xffff_fff0);
    guest.device(0).channel.send(bytes);
  },
  'shares memory that is none': (guest) => {
    guest.start();
    const [one, other] = addon.socketPair();
    const table = new Uint8Array(72);
    table.set(new Uint8Array(new BigUint64Array([1n, 0x1000n, 0x1000n, USER_BASE, 0n]).buffer));
    guest.device(0).channel.send(message(R.SET_MEM_TABLE, table, Flag.NEED_REPLY), [one]);
    closeSync(other);
  },
  'closes a device at once': (guest) => {
    guest.start();
    guest.device(0).channel.close();
  },
  'closes a device that is set up': (guest) => {
    guest.start();
    const driver = new FakeDriver(guest, 0, 1);
    driver.get(R.GET_FEATURES);
    guest.hub.close();
    guest.hub.open(addon.connectUnix(guest.timeSocket), { onData: () => {}, onClose: () => {} });
  },
  'has a chain without an end': (guest) =>
    offer(guest, (queue) => {
      queue.describe(0, BUFFER, 16, DescriptorFlag.NEXT, 1);
      queue.describe(1, BUFFER, 16, DescriptorFlag.NEXT, 0);
    }),
  'has a buffer outside its memory': (guest) =>
    offer(guest, (queue) => queue.describe(0, GUEST_BASE + MEMORY_BYTES - 8, 16, 0, 0)),
  'has a buffer of 4 GiB': (guest) => offer(guest, (queue) => queue.describe(0, BUFFER, 0xffff_ffff, 0, 0)),
  'has a descriptor that is not in the queue': (guest) =>
    offer(guest, (queue) => queue.describe(0, BUFFER, 16, DescriptorFlag.NEXT, 4711)),
  'has a table of tables': (guest) =>
    offer(guest, (queue) => {
      queue.describe(0, BUFFER, 32, DescriptorFlag.INDIRECT, 0);
      queue.writeDescriptor(BUFFER, BUFFER, 32, DescriptorFlag.INDIRECT, 0);
    }),
  'offers more buffers than there are': (guest) => offer(guest, (queue) => queue.setAvailableIndex(40_000)),
};

const [how, ...args] = process.argv.slice(2);
const behave = BEHAVIOURS[how ?? ''];
if (behave === undefined) throw new Error(`no behaviour ${how}`);
const guest = new FakeGuest(args);
behave(guest);
guest.linger();
