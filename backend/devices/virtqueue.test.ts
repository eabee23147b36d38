// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { DescriptorFlag } from '../../protocols/virtio/index.js';
import { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import { GuestMemory } from './guest-memory.js';
import { DriverQueue } from './testing/driver-queue.js';
import { CANARY_BYTES, FakeMachine, GUEST_BASE, MEMORY_BYTES } from './testing/fake-front-end.js';
import { Virtqueue, type VirtqueueOptions } from './virtqueue.js';

const DATA = GUEST_BASE + 0x8_0000;
const TABLE = GUEST_BASE + 0x7_0000;

function setUp({ size = 8, eventIndex = false, start = 0, indirect = true, at = GUEST_BASE } = {}) {
  const machine = new FakeMachine();
  const memory = new GuestMemory(machine.mapShared);
  const descriptor = machine.descriptors.add(machine.file);
  const region = {
    guestAddress: GUEST_BASE,
    size: MEMORY_BYTES,
    userAddress: 0x4000_0000,
    mmapOffset: CANARY_BYTES,
  };
  memory.add(region, descriptor);
  const driver = new DriverQueue(machine.memory, GUEST_BASE, at, size, eventIndex, start);
  const options: VirtqueueOptions = {
    name: 'queue 1 (transmit)',
    size,
    next: start,
    descriptorTable: driver.descriptorTable,
    availableRing: driver.availableRing,
    usedRing: driver.usedRing,
    addresses: 'guest',
    indirect,
    eventIndex,
  };
  const queue = new Virtqueue(memory, options);
  const chain = new DescriptorChain();
  const bytes = (address: number) => machine.memory.subarray(address - GUEST_BASE);
  return { machine, memory, driver, queue, chain, options, bytes };
}

describe('Virtqueue', () => {
  it('passes requests both ways', () => {
    const { driver, queue, chain, bytes } = setUp();
    bytes(DATA).set([1, 2, 3, 4, 5]);
    const head = driver.add([
      { address: DATA, length: 2 },
      { address: DATA + 2, length: 3 },
      { address: DATA + 100, length: 4, writable: true },
      { address: DATA + 200, length: 4, writable: true },
    ]);
    expect(queue.pop(chain)).toBe(true);
    expect(chain.head).toBe(head);
    expect([chain.readableBytes, chain.writableBytes]).toEqual([5, 8]);
    const into = new Uint8Array(5);
    expect(chain.gather(into)).toBe(5);
    expect([...into]).toEqual([1, 2, 3, 4, 5]);
    const rest = new Uint8Array(9);
    expect(chain.gather(rest, 1)).toBe(4);
    expect([...rest.subarray(0, 4)]).toEqual([2, 3, 4, 5]);
    expect(chain.scatter(Uint8Array.of(11, 12, 13), 2)).toBe(3);
    expect([...bytes(DATA + 100).subarray(0, 4)]).toEqual([0, 0, 11, 12]);
    expect(bytes(DATA + 200)[0]).toBe(13);
    expect(chain.scatter(new Uint8Array(20))).toBe(8);
    expect(chain.readable.map((view) => view.length)).toEqual([2, 3]);
    expect(chain.writable.map((view) => view.length)).toEqual([4, 4]);
    queue.push(chain.head, 8);
    expect(driver.takeUsed()).toEqual([]);
    expect(queue.flush()).toBe(true);
    expect(driver.takeUsed()).toEqual([{ id: head, length: 8 }]);
    expect(queue.pop(chain)).toBe(false);
    expect(queue.flush()).toBe(false);
  });

  it('follows an indirect table', () => {
    const { driver, queue, chain, bytes } = setUp({ size: 4 });
    const buffers = Array.from({ length: 40 }, (_, i) => ({ address: DATA + 16 * i, length: 8 }));
    for (const [i, buffer] of buffers.entries()) bytes(buffer.address).fill(i, 0, 8);
    driver.add(buffers, TABLE);
    expect(queue.pop(chain)).toBe(true);
    const into = new Uint8Array(320);
    expect(chain.gather(into)).toBe(320);
    expect([...into]).toEqual(Array.from({ length: 320 }, (_, i) => i >> 3));
  });

  it('follows a chain as long as the queue', () => {
    const { driver, queue, chain } = setUp({ size: 256 });
    driver.add(Array.from({ length: 256 }, (_, i) => ({ address: DATA + i, length: 1, writable: i > 100 })));
    expect(queue.pop(chain)).toBe(true);
    expect([chain.readableBytes, chain.writableBytes]).toEqual([101, 155]);
  });

  it('splits a buffer that lies across two regions that touch', () => {
    const { machine, memory, driver, queue, chain } = setUp();
    const descriptor = machine.descriptors.add(machine.file);
    memory.add(
      { guestAddress: GUEST_BASE + MEMORY_BYTES, size: 4096, userAddress: 0x100_0000, mmapOffset: 0 },
      descriptor,
    );
    machine.memory[MEMORY_BYTES - 1] = 7;
    driver.add([{ address: GUEST_BASE + MEMORY_BYTES - 1, length: 3 }]);
    queue.pop(chain);
    expect(chain.readable.map((view) => [...view])).toEqual([[7], [0xa5, 0xa5]]);
    driver.add([{ address: GUEST_BASE + MEMORY_BYTES + 4095, length: 2 }]);
    expect(() => queue.pop(chain)).toThrow('outside shared memory');
  });

  it.each([false, true])('goes on past index 65535 (event index: %s)', (eventIndex) => {
    const { driver, queue, chain } = setUp({ size: 4, eventIndex, start: 65_500 });
    driver.wantInterrupts(true);
    queue.enableKicks();
    let interrupts = 0;
    for (let i = 0; i < 70_000; i++) {
      const head = driver.add([{ address: DATA, length: 4 }]);
      if (!driver.needsKick()) throw new Error(`no kick for request ${i}`);
      if (!queue.pop(chain)) throw new Error(`request ${i} is lost`);
      queue.push(chain.head, 0);
      if (queue.enableKicks()) throw new Error(`a request after ${i}`);
      if (queue.flush()) interrupts++;
      const used = driver.takeUsed();
      if (used.length !== 1 || used[0]?.id !== head) throw new Error(`request ${i} is not used`);
      driver.wantInterrupts(true);
    }
    expect(interrupts).toBe(70_000);
  });

  it.each([false, true])('says whether the driver wants an interrupt (event index: %s)', (eventIndex) => {
    const { driver, queue, chain } = setUp({ eventIndex });
    const use = () => {
      driver.add([{ address: DATA, length: 4 }]);
      queue.pop(chain);
      queue.push(chain.head, 0);
      return queue.flush();
    };
    driver.wantInterrupts(false);
    expect(use()).toBe(false);
    driver.wantInterrupts(true);
    driver.takeUsed();
    driver.wantInterrupts(true);
    expect(use()).toBe(true);
  });

  it('interrupts once for the used buffer that the driver named', () => {
    const { driver, queue, chain } = setUp({ eventIndex: true });
    driver.setUsedEvent(2);
    for (let i = 0; i < 4; i++) driver.add([{ address: DATA, length: 4 }]);
    const flushes = [];
    while (queue.pop(chain)) {
      queue.push(chain.head, 0);
      flushes.push(queue.flush());
    }
    expect(flushes).toEqual([false, false, true, false]);
  });

  it.each([false, true])('asks for kicks and asks for none (event index: %s)', (eventIndex) => {
    const { driver, queue, chain } = setUp({ eventIndex, start: 65_530 });
    queue.suppressKicks();
    driver.needsKick();
    for (let i = 0; i < 100; i++) {
      driver.add([{ address: DATA, length: 4 }]);
      expect(driver.needsKick()).toBe(false);
      expect(queue.pop(chain)).toBe(true);
      queue.push(chain.head, 0);
      queue.flush();
      driver.takeUsed();
    }
    expect(queue.enableKicks()).toBe(false);
    driver.add([{ address: DATA, length: 4 }]);
    expect(driver.needsKick()).toBe(true);
    expect(queue.enableKicks()).toBe(true);
  });

  it('rolls back to the last flush', () => {
    const { driver, queue, chain } = setUp();
    const heads = [1, 2, 3].map(() => driver.add([{ address: DATA, length: 4, writable: true }]));
    queue.pop(chain);
    queue.push(chain.head, 0);
    queue.flush();
    queue.pop(chain);
    queue.push(chain.head, 4);
    queue.pop(chain);
    queue.rollback();
    expect(queue.flush()).toBe(false);
    expect(driver.takeUsed().map((used) => used.id)).toEqual([heads[0]]);
    queue.pop(chain);
    expect(chain.head).toBe(heads[1]);
    expect(queue.next).toBe(2);
  });

  it.each([0, 3, 48, 65_536, 2 ** 32])('refuses a size of %i', (size) => {
    const { memory, options } = setUp();
    expect(() => new Virtqueue(memory, { ...options, size })).toThrow(
      /queue 1 \(transmit\) has .* power of two up to 32768/,
    );
  });

  it('refuses parts that are not aligned or not in memory', () => {
    const { memory, options } = setUp();
    const { descriptorTable, availableRing, usedRing } = options;
    const make = (change: Partial<VirtqueueOptions>) => () =>
      new Virtqueue(memory, { ...options, ...change });
    expect(make({ descriptorTable: descriptorTable + 8 })).toThrow(
      'descriptor table at 0x100008, not a multiple of 16',
    );
    expect(make({ availableRing: availableRing + 1 })).toThrow('not a multiple of 2');
    expect(make({ usedRing: usedRing + 2 })).toThrow('not a multiple of 4');
    expect(make({ descriptorTable: GUEST_BASE + MEMORY_BYTES - 112 })).toThrow('outside shared memory');
    expect(make({ availableRing: GUEST_BASE + MEMORY_BYTES - 20 })).toThrow(
      'available ring (22 bytes at guest address',
    );
    expect(make({ usedRing: GUEST_BASE + MEMORY_BYTES - 68 })).toThrow('used ring (70 bytes');
    expect(make({ addresses: 'user' })).toThrow('outside shared memory');
    expect(make({ next: 9 })).toThrow('more than 8 apart');
    expect(make({ next: 8 })).not.toThrow();
  });

  describe('refuses', () => {
    const address = DATA;
    const { NEXT, WRITE, INDIRECT } = DescriptorFlag;
    type Setup = ReturnType<typeof setUp>;
    const cases: [string, RegExp, (setup: Setup) => void][] = [
      [
        'an index that jumps',
        /available index 9 after 0: 9 requests in 8/,
        ({ driver }) => driver.setAvailableIndex(9),
      ],
      [
        'an index that goes back',
        /available index 65535 after 0/,
        ({ driver }) => driver.setAvailableIndex(65_535),
      ],
      ['a head out of range', /head 8, where it has 8/, ({ driver }) => driver.offer(8)],
      [
        'a loop',
        /head 0 does not end within 8 descriptors/,
        ({ driver }) => {
          driver.describe(0, address, 4, NEXT, 1);
          driver.describe(1, address, 4, NEXT, 0);
          driver.offer(0);
        },
      ],
      [
        'a next out of range',
        /head 0 goes on to descriptor 8 of 8/,
        ({ driver }) => {
          driver.describe(0, address, 4, NEXT, 8);
          driver.offer(0);
        },
      ],
      [
        'an empty descriptor',
        /head 7|empty descriptor/,
        ({ driver }) => driver.add([{ address, length: 0 }]),
      ],
      [
        'readable after writable',
        /readable descriptor \d after writable/,
        ({ driver }) =>
          driver.add([
            { address, length: 1, writable: true },
            { address, length: 1 },
          ]),
      ],
      [
        'a buffer outside',
        /\(4 bytes at 0x0\) outside/,
        ({ driver }) => driver.add([{ address: 0, length: 4 }]),
      ],
      [
        'a buffer over the end',
        /outside shared memory/,
        ({ driver }) => driver.add([{ address: GUEST_BASE + MEMORY_BYTES - 2, length: 4 }]),
      ],
      [
        'an address past every address',
        /past every address/,
        ({ driver }) => driver.add([{ address: 0x20_0000_0000_0000, length: 4 }]),
      ],
      [
        'too many bytes',
        /more than 4194304 bytes/,
        ({ driver }) =>
          driver.add(Array.from({ length: 5 }, () => ({ address: GUEST_BASE, length: MEMORY_BYTES }))),
      ],
      [
        'a table of odd length',
        /table of 24 bytes, not a multiple of 16/,
        ({ driver }) => {
          driver.describe(0, TABLE, 24, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'an empty table',
        /table of 0 bytes/,
        ({ driver }) => {
          driver.describe(0, TABLE, 0, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a huge table',
        /more than 1024 descriptors/,
        ({ driver }) => {
          driver.describe(0, TABLE, 16 * 1025, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a table outside',
        /table of 16 bytes at 0x40, outside/,
        ({ driver }) => {
          driver.describe(0, 0x40, 16, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a table that is not aligned',
        /not aligned/,
        ({ driver }) => {
          driver.describe(0, TABLE + 2, 16, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a table and a next',
        /goes on to another/,
        ({ driver }) => {
          driver.describe(0, TABLE, 16, INDIRECT | NEXT, 1);
          driver.offer(0);
        },
      ],
      [
        'a table inside a table',
        /a table inside a table/,
        ({ driver }) => {
          driver.writeDescriptor(TABLE, TABLE + 64, 16, INDIRECT, 0);
          driver.describe(0, TABLE, 16, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a next past the end of its table',
        /goes on to descriptor 1 of 1/,
        ({ driver }) => {
          driver.writeDescriptor(TABLE, address, 4, NEXT, 1);
          driver.describe(0, TABLE, 16, INDIRECT, 0);
          driver.offer(0);
        },
      ],
      [
        'a loop in a table',
        /does not end within 2/,
        ({ driver }) => {
          driver.writeDescriptor(TABLE, address, 4, NEXT, 1);
          driver.writeDescriptor(TABLE + 16, address, 4, NEXT | WRITE, 1);
          driver.describe(0, TABLE, 32, INDIRECT, 0);
          driver.offer(0);
        },
      ],
    ];
    it.each(cases)('%s', (_what, text, prepare) => {
      const setup = setUp();
      prepare(setup);
      expect(() => setup.queue.pop(setup.chain)).toThrow(DeviceError);
      expect(() => setup.queue.pop(setup.chain)).toThrow(text);
      expect(() => setup.queue.pop(setup.chain)).toThrow(/^queue 1 \(transmit\)/);
      expect(setup.machine.canariesIntact).toBe(true);
    });

    it('a table that was not negotiated', () => {
      const { driver, queue, chain } = setUp({ indirect: false });
      driver.add([{ address, length: 1 }], TABLE);
      expect(() => queue.pop(chain)).toThrow('not negotiated');
    });
  });

  it('takes a writable flag on a table for nothing', () => {
    const { driver, queue, chain } = setUp();
    driver.writeDescriptor(TABLE, DATA, 4, 0, 0);
    driver.describe(0, TABLE, 16, DescriptorFlag.INDIRECT | DescriptorFlag.WRITE, 0);
    driver.offer(0);
    queue.pop(chain);
    expect([chain.readableBytes, chain.writableBytes]).toEqual([4, 0]);
  });
});
