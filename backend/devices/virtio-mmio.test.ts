// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConsoleFeature,
  DescriptorFlag,
  DeviceType,
  Feature,
  featureBit,
  GpioDirection,
  GpioFeature,
  GpioIrqType,
  GpioMessage,
  MmioInterrupt,
  NetFeature,
  MmioRegister as R,
  Status,
} from '../../protocols/virtio/index.js';
import { OneclockError } from '../errors.js';
import { DeviceError } from './device-error.js';
import type { DriverQueue } from './testing/driver-queue.js';
import { MEMORY_BYTES, MmioDriver } from './testing/mmio-driver.js';
import { VirtioConsole } from './virtio-console.js';
import type { VirtioDevice } from './virtio-device.js';
import { VirtioEntropy } from './virtio-entropy.js';
import { VirtioGpio } from './virtio-gpio.js';
import { VirtioNet } from './virtio-net.js';

const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, NEEDS_RESET, FAILED } = Status;
const RUNNING = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const WANTED = featureBit(NetFeature.MAC) | featureBit(NetFeature.STATUS);
const IN = 0x8_0000;
const OUT = 0x9_0000;

function card(transmit: (frame: Uint8Array) => void = () => {}) {
  const net = new VirtioNet({ name: 'eth0 of a', mac: MAC }, { transmit });
  return { net, driver: new MmioDriver(net) };
}

function failure(driver: MmioDriver): string {
  expect(driver.failures).toHaveLength(1);
  expect(driver.failures[0]).toBeInstanceOf(DeviceError);
  return driver.failures[0]?.message ?? '';
}

/** A frame in the driver's memory, behind its header. */
function frameOf(driver: MmioDriver, byte: number): void {
  driver.memory.fill(0, OUT, OUT + 12).fill(byte, OUT + 12, OUT + 12 + 60);
  driver.queues[1]?.add([{ address: OUT, length: 72 }]);
}

describe('the registers of a device', () => {
  it('say what it is', () => {
    const { driver } = card();
    expect(driver.get(R.MAGIC_VALUE)).toBe(Buffer.from('virt').readUInt32LE());
    expect(driver.get(R.VERSION)).toBe(2);
    expect(driver.get(R.DEVICE_ID)).toBe(DeviceType.NET);
    expect(driver.get(R.STATUS)).toBe(0);
    expect(driver.get(R.SHM_LEN_LOW)).toBe(0xffff_ffff);
    expect(driver.get(R.SHM_LEN_HIGH)).toBe(0xffff_ffff);
  });

  it('have queues as far as the device has them', () => {
    const { driver } = card();
    const sizes = [0, 1, 2, 0xffff_ffff].map((index) => {
      driver.set(R.QUEUE_SEL, index);
      return [driver.get(R.QUEUE_NUM_MAX), driver.get(R.QUEUE_READY)];
    });
    expect(sizes).toEqual([
      [256, 0],
      [256, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(driver.failures).toEqual([]);
  });

  it('offer its features in words', () => {
    const { net, driver } = card();
    const words = [0, 1, 2, 0xffff_ffff].map((place) => {
      driver.set(R.DEVICE_FEATURES_SEL, place);
      return driver.get(R.DEVICE_FEATURES);
    });
    expect(words).toEqual([Number(net.features & 0xffff_ffffn), Number(net.features >> 32n), 0, 0]);
  });

  it('show its configuration in every size and place, with zeros behind it', () => {
    const { net, driver } = card();
    const padded = Buffer.concat([net.config, Buffer.alloc(16)]);
    for (let offset = 0; offset < 20; offset++) {
      for (let size = 1; size <= 8; size++) {
        const expected = padded
          .subarray(offset, offset + size)
          .reduceRight((v, b) => (v << 8n) | BigInt(b), 0n);
        expect(driver.mmio.read(R.CONFIG + offset, size)).toBe(expected);
      }
    }
    expect(driver.mmio.read(0xffc, 8)).toBe(0n);
  });

  it('read as zero where they are written only, unknown, or read in another size', () => {
    const { driver } = card();
    for (const register of [R.QUEUE_NUM, R.QUEUE_NOTIFY, R.INTERRUPT_ACK, R.INTERRUPT_STATUS, 0x0c0, 0x028])
      expect(driver.get(register)).toBe(0);
    for (const size of [1, 2, 8]) expect(driver.mmio.read(R.MAGIC_VALUE, size)).toBe(0n);
    expect(driver.get(R.MAGIC_VALUE + 1)).toBe(0);
    expect(driver.failures).toEqual([]);
  });
});

describe('queues', () => {
  it('are known with their indices while they are ready', () => {
    const { driver } = card();
    driver.start(2, WANTED);
    const [receive, transmit] = driver.queues as [DriverQueue, DriverQueue];
    const indices = (queue: DriverQueue) => ({
      available: queue.availableRing + 2,
      event: queue.usedRing + 4 + 8 * 16,
    });
    // The driver begins with a reset.
    expect(driver.ready.splice(0).slice(2)).toEqual([
      [0, indices(receive)],
      [1, indices(transmit)],
    ]);
    driver.set(R.QUEUE_SEL, 1);
    driver.set(R.QUEUE_READY, 0);
    driver.set(R.STATUS, 0);
    expect(driver.ready).toEqual([
      [1, undefined],
      [0, undefined],
      [1, undefined],
    ]);
  });

  it('have no event index where that is not negotiated', () => {
    const { driver } = card();
    driver.set(R.STATUS, Status.ACKNOWLEDGE | Status.DRIVER);
    driver.choose(featureBit(Feature.VERSION_1));
    driver.set(R.STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    driver.placeQueue(0, 16);
    expect(driver.ready[0]?.[1]).toMatchObject({ event: undefined });
  });

  it('are served as far as the driver had come when it notified, and no further', () => {
    const frames: number[] = [];
    const { driver } = card((frame) => frames.push(frame[0] as number));
    driver.start(2, WANTED);
    frameOf(driver, 1);
    frameOf(driver, 2);
    driver.mmio.notified(1, 1);
    expect(frames).toHaveLength(1);
    driver.mmio.notified(1, 2);
    expect(frames).toHaveLength(2);
    frameOf(driver, 3);
    driver.set(R.QUEUE_NOTIFY, 1);
    expect(frames).toHaveLength(3);
  });

  it('that are notified of more than there can be end the use of the device', () => {
    const { driver } = card();
    driver.start(2, WANTED);
    driver.mmio.notified(1, 17);
    expect(failure(driver)).toMatch(/available index 17 .*last write: 0x1 to 0x50/);
    driver.mmio.notified(1, 1);
    expect(driver.failures).toHaveLength(1);
  });
});

describe('a driver', () => {
  it('gets no FEATURES_OK for features that were not on offer, and may try others', () => {
    const { net, driver } = card();
    const before = ACKNOWLEDGE | DRIVER;
    driver.set(R.STATUS, ACKNOWLEDGE);
    driver.set(R.STATUS, before);
    driver.choose(net.features | featureBit(40));
    driver.set(R.STATUS, before | FEATURES_OK);
    expect(driver.get(R.STATUS)).toBe(before);
    driver.choose(net.features & 0xffff_ffffn); // without VERSION_1
    driver.set(R.STATUS, before | FEATURES_OK);
    expect(driver.get(R.STATUS)).toBe(before);
    driver.choose(net.features);
    driver.set(R.STATUS, before | FEATURES_OK);
    expect(driver.get(R.STATUS)).toBe(before | FEATURES_OK);
    expect(driver.failures).toEqual([]);
  });

  it('may give up', () => {
    const { driver } = card();
    driver.set(R.STATUS, ACKNOWLEDGE);
    driver.set(R.STATUS, ACKNOWLEDGE | FAILED);
    expect(driver.get(R.STATUS)).toBe(ACKNOWLEDGE | FAILED);
    expect(driver.failures).toEqual([]);
  });

  it('sends frames, each within its kick', () => {
    const frames: number[] = [];
    const { driver } = card((frame) => frames.push(frame[0] as number, frame.length));
    driver.start(2, WANTED);
    expect(driver.get(R.STATUS)).toBe(RUNNING);
    frameOf(driver, 7);
    expect(driver.kick(1)).toBe(true);
    expect(frames).toEqual([7, 60]);
    expect(driver.queues[1]?.takeUsed()).toHaveLength(1);
    expect(driver.failures).toEqual([]);
  });

  it('is asked for once until its interrupt is delivered, and then again', () => {
    const { net, driver } = card();
    driver.start(2, WANTED);
    for (let i = 0; i < 8; i++)
      driver.queues[0]?.add([{ address: IN + i * 2048, length: 2048, writable: true }]);
    expect(net.receive(new Uint8Array(60).fill(9))).toBe(true);
    expect(net.receive(new Uint8Array(60))).toBe(true);
    expect(driver.raised).toEqual([MmioInterrupt.USED_BUFFER]);
    expect(driver.interrupts()).toBe(MmioInterrupt.USED_BUFFER);
    expect(driver.mmio.lower(3)).toBe(0);
    expect(driver.queues[0]?.takeUsed().map(({ length }) => length)).toEqual([72, 72]);
    expect(driver.memory[IN + 12]).toBe(9);
    driver.queues[0]?.wantInterrupts(true);
    net.receive(new Uint8Array(60));
    expect(driver.raised).toEqual([MmioInterrupt.USED_BUFFER]);
  });

  it('is told of another configuration, with another generation', () => {
    const { net, driver } = card();
    net.setLink(false);
    net.setLink(true);
    expect(driver.raised).toEqual([]);
    driver.start(2, WANTED);
    const before = driver.get(R.CONFIG_GENERATION);
    net.setLink(false);
    expect(driver.get(R.CONFIG_GENERATION)).not.toBe(before);
    expect(driver.mmio.read(R.CONFIG + 6, 2)).toBe(0n);
    expect(driver.raised).toEqual([MmioInterrupt.CONFIG_CHANGE]);
    driver.queues[0]?.add([{ address: IN, length: 2048, writable: true }]);
    net.receive(new Uint8Array(60));
    expect(driver.interrupts()).toBe(MmioInterrupt.CONFIG_CHANGE | MmioInterrupt.USED_BUFFER);
  });

  it('resets the device, which forgets what it wanted, and begins again', () => {
    const frames: number[] = [];
    const { net, driver } = card((frame) => frames.push(frame[0] as number));
    driver.start(2, WANTED);
    driver.queues[0]?.add([{ address: IN, length: 2048, writable: true }]);
    net.receive(new Uint8Array(60));
    driver.set(R.STATUS, 0);
    expect(driver.get(R.STATUS)).toBe(0);
    expect(driver.interrupts()).toBe(0);
    driver.set(R.QUEUE_SEL, 1);
    expect(driver.get(R.QUEUE_READY)).toBe(0);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    driver.start(2, WANTED);
    frameOf(driver, 3);
    driver.kick(1);
    expect(frames).toEqual([3]);
    expect(driver.failures).toEqual([]);
  });

  it('stops a queue by itself', () => {
    const { net, driver } = card();
    driver.start(2, WANTED);
    driver.queues[0]?.add([{ address: IN, length: 2048, writable: true }]);
    driver.set(R.QUEUE_SEL, 0);
    driver.set(R.QUEUE_READY, 0);
    expect(driver.get(R.QUEUE_READY)).toBe(0);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    driver.set(R.QUEUE_READY, 1);
    driver.set(R.QUEUE_READY, 1);
    expect(driver.get(R.QUEUE_READY)).toBe(1);
    expect(net.receive(new Uint8Array(60))).toBe(true);
    expect(driver.failures).toEqual([]);
  });
});

describe('devices behind registers', () => {
  it('a console writes and reads', () => {
    const output: string[] = [];
    const console = new VirtioConsole(
      { name: 'console of a' },
      { output: (port, bytes) => output.push(`${port} ${Buffer.from(bytes)}`) },
    );
    const driver = new MmioDriver(console);
    driver.start(2);
    driver.memory.set(Buffer.from('hello'), OUT);
    driver.queues[1]?.add([{ address: OUT, length: 5 }]);
    driver.kick(1);
    expect(output).toEqual(['0 hello']);
    expect(driver.raised).toEqual([]); // it waits in its kick
    driver.queues[0]?.add([{ address: IN, length: 64, writable: true }]);
    expect(console.input(0, Buffer.from('yes'))).toBe(true);
    expect(driver.interrupts()).toBe(MmioInterrupt.USED_BUFFER);
    expect(driver.queues[0]?.takeUsed()).toEqual([{ id: 0, length: 3 }]);
    expect(Buffer.from(driver.memory.subarray(IN, IN + 3)).toString()).toBe('yes');
  });

  it('a console has ports, of which the last queue is one', () => {
    const output: string[] = [];
    const device = new VirtioConsole(
      { name: 'console of a' },
      { output: (port, bytes) => output.push(`${port} ${Buffer.from(bytes)}`) },
    );
    const driver = new MmioDriver(device);
    driver.start(6, featureBit(ConsoleFeature.MULTIPORT));
    driver.memory.set(Buffer.from('hello'), OUT);
    driver.queues[5]?.add([{ address: OUT, length: 5 }]);
    expect(driver.kick(5)).toBe(true);
    expect(output).toEqual(['1 hello']);
    expect(driver.failures).toEqual([]);
  });

  it('a GPIO controller drives, and interrupts', () => {
    const driven: unknown[] = [];
    const gpio = new VirtioGpio(
      { name: 'gpio of a', lines: ['x', 'y'] },
      { drive: (line, level) => driven.push([line, level]), released: () => driven.push('released') },
    );
    const driver = new MmioDriver(gpio);
    driver.start(2, featureBit(GpioFeature.IRQ));
    const ask = (type: number, line: number, value: number) => {
      driver.memory.set(new Uint8Array(new Uint16Array([type, line, value, 0]).buffer), OUT);
      driver.queues[0]?.add([
        { address: OUT, length: 8 },
        { address: IN, length: 2, writable: true },
      ]);
      driver.kick(0);
      expect(driver.queues[0]?.takeUsed()).toHaveLength(1);
      expect(driver.memory[IN]).toBe(0);
    };
    ask(GpioMessage.SET_VALUE, 0, 1);
    ask(GpioMessage.SET_DIRECTION, 0, GpioDirection.OUT);
    ask(GpioMessage.SET_IRQ_TYPE, 1, GpioIrqType.EDGE_RISING);
    expect(driven).toEqual([[0, 1]]);
    driver.interrupts();
    driver.memory.set([1, 0], OUT);
    driver.queues[1]?.add([
      { address: OUT, length: 2 },
      { address: IN, length: 1, writable: true },
    ]);
    driver.kick(1);
    expect(driver.interrupts()).toBe(0);
    gpio.sense(1, 1);
    expect(driver.interrupts()).toBe(MmioInterrupt.USED_BUFFER);
    expect(driver.memory[IN]).toBe(1);
    driver.set(R.STATUS, 0);
    expect(driven.at(-1)).toBe('released');
  });
});

describe('what a driver must not do costs it the device', () => {
  const start = (driver: MmioDriver) => driver.start(2, WANTED);
  const negotiate = (driver: MmioDriver) => driver.negotiate(WANTED);
  const select = (queue: number, register: number, value: number) => (driver: MmioDriver) => {
    negotiate(driver);
    driver.set(R.QUEUE_SEL, queue);
    driver.set(register, value);
  };
  const faults: [string, (driver: MmioDriver) => void, string][] = [
    ['writes a register in another size', (d) => d.mmio.write(R.QUEUE_SEL, 2, 0), 'a write of 2 bytes'],
    ['writes eight bytes', (d) => d.mmio.write(R.QUEUE_DESC_LOW, 8, 2 ** 60), 'a write of 8 bytes'],
    [
      'writes a register that is to be read',
      (d) => d.set(R.MAGIC_VALUE, 1),
      'no register that can be written',
    ],
    ['writes between registers', (d) => d.set(R.STATUS + 1, 1), 'no register that can be written'],
    ['resets a queue, which is not on offer', (d) => d.set(0x0c0, 1), 'no register that can be written'],
    ['writes a legacy register', (d) => d.set(0x028, 4096), 'no register that can be written'],
    ['writes the configuration', (d) => d.mmio.write(R.CONFIG, 1, 1), 'not to be written to'],
    ['sets unknown status bits', (d) => d.set(R.STATUS, 0x101), 'has unknown bits'],
    ['sets NEEDS_RESET', (d) => d.set(R.STATUS, NEEDS_RESET), 'has unknown bits'],
    ['sets all status bits', (d) => d.set(R.STATUS, 0xffff_ffff), 'has unknown bits'],
    ['skips ACKNOWLEDGE', (d) => d.set(R.STATUS, DRIVER), 'leaves out a step'],
    ['skips FEATURES_OK', (d) => d.set(R.STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK), 'leaves out a step'],
    [
      'takes a status bit back',
      (d) => {
        start(d);
        d.set(R.STATUS, ACKNOWLEDGE | DRIVER);
      },
      'takes bits back',
    ],
    [
      'goes on after a refusal',
      (d) => {
        d.set(R.DRIVER_FEATURES, 0xffff_ffff);
        d.set(R.STATUS, RUNNING);
      },
      'whose features were refused',
    ],
    [
      'chooses features later',
      (d) => {
        negotiate(d);
        d.set(R.DRIVER_FEATURES, 0);
      },
      'after FEATURES_OK',
    ],
    [
      'chooses features past all that are known',
      (d) => {
        d.set(R.DRIVER_FEATURES_SEL, 2);
        d.set(R.DRIVER_FEATURES, 1);
      },
      'past bit 63',
    ],
    ['describes a queue that is not there', select(2, R.QUEUE_DESC_LOW, 0), 'queue 2 of a device that has 2'],
    ['describes the last queue of all', select(0xffff_ffff, R.QUEUE_NUM, 8), 'queue 4294967295 of'],
    ['readies a queue that is not there', select(9, R.QUEUE_READY, 1), 'queue 9 of a device'],
    ['has a queue of 0', select(1, R.QUEUE_NUM, 0), 'queue 1 (transmit) is to have 0 descriptors'],
    ['has a queue of 3', select(0, R.QUEUE_NUM, 3), 'is to have 3 descriptors'],
    ['has a queue that is too long', select(0, R.QUEUE_NUM, 512), 'is to have 512 descriptors'],
    ['has a queue beyond all limits', select(0, R.QUEUE_NUM, 0x8000_0000), 'is to have 2147483648'],
    ['readies a queue twice over', select(0, R.QUEUE_READY, 2), 'is made ready with 2'],
    ['readies a queue without a size', select(0, R.QUEUE_READY, 1), 'has 0 descriptors'],
    [
      'readies a queue before the features',
      (d) => {
        d.set(R.QUEUE_NUM, 8);
        d.set(R.QUEUE_READY, 1);
      },
      'before FEATURES_OK',
    ],
    [
      'moves a queue that is ready',
      (d) => {
        start(d);
        d.set(R.QUEUE_AVAIL_LOW, 0);
      },
      'is changed while it is ready',
    ],
    [
      'resizes a queue that is ready',
      (d) => {
        start(d);
        d.set(R.QUEUE_NUM, 8);
      },
      'is changed while it is ready',
    ],
    [
      'has a ring past the end of memory',
      (d) => {
        negotiate(d);
        d.set(R.QUEUE_NUM, 16);
        d.set(R.QUEUE_USED_LOW, MEMORY_BYTES - 64);
        d.set(R.QUEUE_READY, 1);
      },
      'outside shared memory',
    ],
    [
      'has a table that is not aligned',
      (d) => {
        negotiate(d);
        d.set(R.QUEUE_NUM, 16);
        d.set(R.QUEUE_DESC_LOW, 8);
        d.set(R.QUEUE_READY, 1);
      },
      'not a multiple of 16',
    ],
    [
      'has a ring past every address',
      (d) => {
        negotiate(d);
        d.set(R.QUEUE_NUM, 16);
        d.set(R.QUEUE_DESC_HIGH, 0xffff_ffff);
        d.set(R.QUEUE_READY, 1);
      },
      'past every address',
    ],
    [
      'kicks a queue that is not there',
      (d) => {
        start(d);
        d.set(R.QUEUE_NOTIFY, 2);
      },
      'queue 2 of a device',
    ],
    [
      'kicks too early',
      (d) => {
        negotiate(d);
        d.placeQueue(0, 8);
        d.set(R.QUEUE_NOTIFY, 0);
      },
      'queue 0 (receive) is kicked before DRIVER_OK',
    ],
    [
      'kicks a queue that is not ready',
      (d) => {
        d.start(1, WANTED);
        d.set(R.QUEUE_NOTIFY, 1);
      },
      'queue 1 (transmit) is kicked while it is not ready',
    ],
    [
      'has a request that makes no sense',
      (d) => {
        start(d);
        d.queues[1]?.add([{ address: OUT, length: 13 }]);
        d.kick(1);
      },
      'a frame of 1 bytes',
    ],
  ];

  it.each(faults)('%s', (_what, act, message) => {
    const { net, driver } = card();
    act(driver);
    expect(failure(driver)).toMatch(/^eth0 of a: .* \(last write: 0x[0-9a-f]+ to 0x[0-9a-f]+\)$/);
    expect(failure(driver)).toContain(message);
    expect(driver.get(R.STATUS) & NEEDS_RESET).toBe(NEEDS_RESET);
    // Nothing else comes of it.
    const raised = driver.raised.length;
    expect(net.receive(new Uint8Array(60))).toBe(false);
    driver.set(R.STATUS, 0);
    driver.set(R.STATUS, 0xffff);
    driver.mmio.close();
    expect(driver.failures).toHaveLength(1);
    expect(driver.raised).toHaveLength(raised);
    expect(driver.mmio.lower(3)).toBe(0);
  });

  it('also where it is found outside a kick', () => {
    const { net, driver } = card();
    driver.start(2, WANTED);
    driver.queues[0]?.offer(99);
    expect(net.receive(new Uint8Array(60))).toBe(false);
    expect(failure(driver)).toContain('has head 99');
  });

  it('but a fault of ours is ours', () => {
    const { driver } = card(() => {
      throw new OneclockError('INTERNAL', 'ours');
    });
    driver.start(2, WANTED);
    frameOf(driver, 1);
    expect(() => driver.kick(1)).toThrow('ours');
    expect(driver.failures).toEqual([]);
  });
});

it('a device that is closed within a kick ends after it, and once', () => {
  let activeAfter: boolean | undefined;
  const { net, driver } = card(() => {
    driver.mmio.close();
    activeAfter = net.receive(new Uint8Array(60));
  });
  driver.start(2, WANTED);
  driver.queues[0]?.add([{ address: IN, length: 2048, writable: true }]);
  frameOf(driver, 1);
  driver.kick(1);
  expect(activeAfter).toBe(true);
  expect(net.receive(new Uint8Array(60))).toBe(false);
  expect(driver.raised).toEqual([]);
  expect(driver.failures).toEqual([]);
});

describe('random registers', () => {
  const devices: [string, bigint, number, () => VirtioDevice][] = [
    [
      'VirtioNet',
      WANTED | featureBit(NetFeature.MRG_RXBUF),
      2,
      () => new VirtioNet({ name: 'net', mac: MAC, mergeable: true }, { transmit() {} }),
    ],
    [
      'VirtioConsole',
      featureBit(ConsoleFeature.MULTIPORT),
      6,
      () => new VirtioConsole({ name: 'console' }, { output() {} }),
    ],
    [
      'VirtioGpio',
      featureBit(GpioFeature.IRQ),
      2,
      () => new VirtioGpio({ name: 'gpio', lines: ['x', 'y'] }, { drive() {}, released() {} }),
    ],
    ['VirtioEntropy', 0n, 1, () => new VirtioEntropy({ name: 'entropy', seed: new Uint8Array(32) })],
  ];
  const register = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.values(R)) },
    { weight: 1, arbitrary: fc.nat(0xfff) },
  );
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.nat(4) },
    { weight: 2, arbitrary: fc.constantFrom(1, 3, 11, 15, 16, 0x1000, 0x2000, 0x8_0000, MEMORY_BYTES - 16) },
    { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
  );
  const descriptor = fc.record({
    address: fc.oneof(fc.nat(MEMORY_BYTES), fc.maxSafeNat()),
    length: fc.oneof(fc.nat(2000), fc.constantFrom(0, 1, 0xffff_ffff)),
    flags: fc.constantFrom(0, DescriptorFlag.NEXT, DescriptorFlag.WRITE, DescriptorFlag.INDIRECT, 3),
    next: fc.nat(17),
  });
  const step = fc.oneof(
    fc.record({
      write: fc.tuple(register, value),
      size: fc.oneof({ weight: 9, arbitrary: fc.constant(4) }, fc.integer({ min: 1, max: 8 })),
    }),
    fc.record({ read: register, size: fc.integer({ min: 1, max: 8 }) }),
    fc.record({
      queue: fc.nat(5),
      table: fc.array(descriptor, { maxLength: 4 }),
      heads: fc.array(fc.nat(17), { maxLength: 3 }),
    }),
    fc.record({ input: fc.nat(300) }),
  );

  it.each(devices)('cost a guest %s at most, and touch nothing else', (_name, wanted, queues, make) => {
    let failed = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.boolean(), (steps, begun) => {
        const device = make();
        const driver = new MmioDriver(device);
        if (begun) driver.start(queues, wanted);
        for (const each of steps) {
          if ('write' in each) {
            driver.mmio.write(each.write[0], each.size, each.write[1]);
          } else if ('read' in each) {
            const read = driver.mmio.read(each.read, each.size);
            expect(read >= 0n && read < 1n << BigInt(8 * each.size)).toBe(true);
          } else if ('input' in each) {
            if (device instanceof VirtioNet) device.receive(new Uint8Array(14 + each.input));
            if (device instanceof VirtioConsole) device.input(1, new Uint8Array(each.input));
            if (device instanceof VirtioGpio) device.sense(0, (each.input & 1) as 0 | 1);
            driver.interrupts();
          } else {
            const queue = driver.queues[each.queue];
            each.table.forEach((raw, i) => {
              queue?.describe(i, raw.address, raw.length, raw.flags, raw.next);
            });
            for (const head of each.heads) queue?.offer(head);
            if (queue && driver.failures.length === 0) driver.set(R.QUEUE_NOTIFY, each.queue);
          }
        }
        expect(driver.failures.length).toBeLessThanOrEqual(1);
        for (const error of driver.failures) expect(error).toBeInstanceOf(DeviceError);
        failed += driver.failures.length;
        driver.mmio.close();
        expect(driver.canariesIntact).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(failed).toBeGreaterThan(100);
  });
});
