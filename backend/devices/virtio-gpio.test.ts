// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { FrontEndRequest as R } from '../../protocols/vhost-user/index.js';
import {
  featureBit,
  GpioDirection,
  GpioFeature,
  GpioIrqStatus,
  GpioIrqType,
  GpioMessage,
  GpioQueue,
} from '../../protocols/virtio/index.js';
import type { OneclockError } from '../errors.js';
import { FakeFrontEnd, FakeMachine, GUEST_BASE, state, u64 } from './testing/fake-front-end.js';
import { VhostUserDeviceServer } from './vhost-user-server.js';
import { type GpioLevel, VirtioGpio } from './virtio-gpio.js';

const { REQUEST, EVENT } = GpioQueue;
const { NONE, OUT, IN } = GpioDirection;
const ASKED = GUEST_BASE + 0x8_0000;
const ANSWER = GUEST_BASE + 0x8_1000;
const UNMASKED = GUEST_BASE + 0x8_2000;
const LINES = ['gpio0', 'led', ''];
const IRQ = featureBit(GpioFeature.IRQ);

let machine: FakeMachine;
let driven: (readonly [line: number, level: GpioLevel | undefined] | 'released')[];
let raised: number[];
let failures: OneclockError[];
let device: VirtioGpio;
let server: VhostUserDeviceServer;

beforeEach(() => {
  machine = new FakeMachine();
  driven = [];
  raised = [];
  failures = [];
  device = new VirtioGpio(
    { name: 'gpio of a', lines: LINES },
    { drive: (line, level) => driven.push([line, level]), released: () => driven.push('released') },
  );
  server = new VhostUserDeviceServer(machine, 's', device, {
    raise: (line) => raised.push(line),
    onClosed() {},
    onFailed: (error) => failures.push(error),
  });
});

/** A driver of the device, in the steps of drivers/gpio/gpio-virtio.c. */
class Driver {
  readonly guest = new FakeFrontEnd(machine, 's');

  constructor(features = IRQ) {
    this.guest.startLikeUserModeLinux(2, features, 16);
    this.listen();
  }

  listen(): void {
    for (const queue of this.guest.queues) queue.wantInterrupts(true);
  }

  /** Asks, and takes the answer. @returns its bytes */
  ask(type: number, line: number, value = 0, room = 2): number[] {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, type, true);
    view.setUint16(2, line, true);
    view.setUint32(4, value, true);
    return this.put(REQUEST, bytes, ANSWER, room);
  }

  /** Asks, and expects to be obeyed. */
  must(type: number, line: number, value = 0): number {
    const [status, answer] = this.ask(type, line, value);
    expect(status).toBe(0);
    return answer as number;
  }

  put(queue: number, bytes: Uint8Array, to: number, room: number): number[] {
    const driver = this.guest.queues[queue];
    this.guest.write(ASKED, bytes);
    driver?.add([
      { address: ASKED, length: bytes.length },
      { address: to, length: room, writable: true },
    ]);
    this.guest.kick(queue);
    if (queue === EVENT) return [];
    const [used] = driver?.takeUsed() ?? [];
    this.listen();
    return used ? [...this.guest.read(to, used.length)] : [];
  }

  unmask(line: number): void {
    this.put(EVENT, Uint8Array.of(line, line >> 8), UNMASKED + line, 1);
  }

  /** What came back of what was unmasked. */
  statuses(): number[] {
    const used = this.guest.queues[EVENT]?.takeUsed() ?? [];
    this.listen();
    for (const { length } of used) expect(length).toBe(1);
    return used.length === 0 ? [] : [...this.guest.read(UNMASKED, LINES.length)];
  }

  /** Which lines interrupted since it was asked last. */
  interrupted(): boolean {
    const came = (this.guest.queues[EVENT]?.takeUsed() ?? []).length > 0;
    this.listen();
    return came;
  }
}

describe('lines', () => {
  it('have their number and names in the configuration, and their names on request', () => {
    expect([...device.config]).toEqual([3, 0, 0, 0, 11, 0, 0, 0]);
    const driver = new Driver();
    const names = driver.ask(GpioMessage.GET_LINE_NAMES, 0, 0, 12);
    expect(Buffer.from(names).toString('latin1')).toBe('\0gpio0\0led\0\0');
    expect(driver.ask(GpioMessage.GET_LINE_NAMES, 0, 0, 11)).toEqual([1, 0]);
  });

  it('need no names', () => {
    device = new VirtioGpio(
      { name: 'gpio of a', lines: ['', ''] },
      { drive: () => undefined, released: () => undefined },
    );
    expect([...device.config]).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
    server.close();
    server = new VhostUserDeviceServer(machine, 's', device, {
      raise: () => undefined,
      onClosed() {},
      onFailed() {},
    });
    expect(new Driver().ask(GpioMessage.GET_LINE_NAMES, 0, 0, 3)).toEqual([1, 0]);
  });

  it('begin as nothing, become an output with the value that was set before, and drive what is set', () => {
    const driver = new Driver();
    expect(driver.must(GpioMessage.GET_DIRECTION, 1)).toBe(NONE);
    driver.must(GpioMessage.SET_VALUE, 1, 1);
    expect(driven).toEqual([]);
    driver.must(GpioMessage.SET_DIRECTION, 1, OUT);
    driver.must(GpioMessage.SET_DIRECTION, 1, OUT);
    driver.must(GpioMessage.SET_VALUE, 1, 0);
    driver.must(GpioMessage.SET_VALUE, 1, 0);
    expect(driver.must(GpioMessage.GET_DIRECTION, 1)).toBe(OUT);
    driver.must(GpioMessage.SET_DIRECTION, 1, IN);
    driver.must(GpioMessage.SET_DIRECTION, 1, OUT);
    driver.must(GpioMessage.SET_DIRECTION, 1, NONE);
    expect(driven).toEqual([
      [1, 1],
      [1, 0],
      [1, undefined],
      [1, 0],
      [1, undefined],
    ]);
    // All of it is forgotten, the value too.
    driver.must(GpioMessage.SET_DIRECTION, 1, OUT);
    expect(driven.at(-1)).toEqual([1, 0]);
  });

  it('have the value that is sensed', () => {
    const driver = new Driver();
    expect(driver.must(GpioMessage.GET_VALUE, 0)).toBe(0);
    device.sense(0, 1);
    expect([0, 1].map((line) => driver.must(GpioMessage.GET_VALUE, line))).toEqual([1, 0]);
  });

  it('are let go of when the driver goes', () => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_VALUE, 0, 1);
    driver.must(GpioMessage.SET_DIRECTION, 0, OUT);
    driver.guest.disconnect();
    expect(driven).toEqual([[0, 1], 'released']);
    const again = new Driver();
    expect(again.must(GpioMessage.GET_DIRECTION, 0)).toBe(NONE);
    again.guest.disconnect();
    expect(driven).toHaveLength(2);
  });

  it('are answered within the kick, with an interrupt for the driver that sleeps', () => {
    new Driver().must(GpioMessage.GET_VALUE, 0);
    expect(raised).toEqual([REQUEST]);
  });
});

describe('a request that makes no sense is answered with an error', () => {
  it.each([
    ['an unknown type', 7, 0, 0],
    ['type 0', 0, 0, 0],
    ['a line that is not there', GpioMessage.GET_VALUE, 3, 0],
    ['the last line that can be written', GpioMessage.SET_VALUE, 0xffff, 0],
    ['a value that is no level', GpioMessage.SET_VALUE, 0, 2],
    ['a value that is no direction', GpioMessage.SET_DIRECTION, 0, 3],
    ['a value that is no interrupt type', GpioMessage.SET_IRQ_TYPE, 0, 5],
    ['a value where none is due', GpioMessage.GET_VALUE, 0, 1],
    ['names of a line', GpioMessage.GET_LINE_NAMES, 1, 0],
  ])('%s', (_what, type, line, value) => {
    const driver = new Driver();
    expect(driver.ask(type, line, value)).toEqual([1, 0]);
    expect(failures).toEqual([]);
    expect(driver.must(GpioMessage.GET_DIRECTION, 0)).toBe(NONE);
  });

  it('interrupts of an output, and an output that interrupts', () => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_DIRECTION, 0, OUT);
    expect(driver.ask(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH)).toEqual([1, 0]);
    driver.must(GpioMessage.SET_DIRECTION, 0, IN);
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH);
    expect(driver.ask(GpioMessage.SET_DIRECTION, 0, OUT)).toEqual([1, 0]);
    expect(driver.must(GpioMessage.GET_DIRECTION, 0)).toBe(IN);
  });

  it('interrupts, where they were not negotiated', () => {
    const driver = new Driver(0n);
    expect(driver.ask(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH)).toEqual([1, 0]);
  });
});

describe('a malformed request fails the device', () => {
  it.each<[string, number, number, number, string]>([
    ['a short request', REQUEST, 7, 2, '7 bytes to read and 2 to write to, where 8 and at least 2'],
    ['a long request', REQUEST, 9, 2, '9 bytes to read'],
    ['no room for the answer', REQUEST, 8, 1, '1 to write to'],
    ['a short unmasking', EVENT, 1, 1, '1 bytes to read and 1 to write to, where 2 and at least 1'],
    ['the unmasking of a line that is not there', EVENT, 2, 1, 'unmasks line 257 of 3'],
  ])('%s', (_what, queue, length, room, text) => {
    const { guest } = new Driver();
    guest.write(ASKED, new Uint8Array(length).fill(1));
    guest.queues[queue]?.add([
      { address: ASKED, length },
      { address: ANSWER, length: room, writable: true },
    ]);
    expect(guest.request(R.VRING_KICK, state(queue, 0), { needReply: true })?.payload).toEqual(u64(1n));
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining(text)]);
    expect(failures[0]?.message).toMatch(/^gpio of a: queue [01] \((request|event)\) head /);
  });

  it('a line that is unmasked twice', () => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH);
    driver.unmask(0);
    expect(() => driver.unmask(0)).toThrow();
    expect(failures[0]?.message).toContain('unmasks line 0, which is not masked');
  });
});

describe('interrupts', () => {
  it.each([
    ['rising', GpioIrqType.EDGE_RISING, [1, 1]],
    ['falling', GpioIrqType.EDGE_FALLING, [0, 0]],
    ['both', GpioIrqType.EDGE_BOTH, [1, 0, 1, 0]],
  ])('come at edges: %s', (_name, type, expected) => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, type);
    driver.unmask(0);
    const seen: number[] = [];
    for (const level of [1, 0, 1, 0] as const) {
      device.sense(0, level);
      device.sense(0, level);
      if (!driver.interrupted()) continue;
      seen.push(level);
      driver.unmask(0);
      expect(driver.interrupted()).toBe(false);
    }
    expect(seen).toEqual(expected);
    expect(raised).toContain(EVENT);
  });

  it('come once for edges while they are masked, when they are unmasked', () => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_RISING);
    for (const level of [1, 0, 1, 0] as const) device.sense(0, level);
    expect(driver.statuses()).toEqual([]);
    driver.unmask(0);
    expect(driver.statuses()[0]).toBe(GpioIrqStatus.VALID);
    driver.unmask(0);
    expect(driver.statuses()).toEqual([]);
  });

  it('do not tell of edges from before, nor of edges that were missed while they were disabled', () => {
    const driver = new Driver();
    device.sense(0, 1);
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH);
    device.sense(0, 0);
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.NONE);
    device.sense(0, 1);
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH);
    driver.unmask(0);
    expect(driver.statuses()).toEqual([]);
  });

  it.each([
    ['high', GpioIrqType.LEVEL_HIGH, 1, 0],
    ['low', GpioIrqType.LEVEL_LOW, 0, 1],
  ] as const)('come for as long as there is a level, and are not kept: %s', (_name, type, active, idle) => {
    const driver = new Driver();
    device.sense(0, idle);
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, type);
    device.sense(0, active);
    device.sense(0, idle);
    driver.unmask(0);
    expect(driver.interrupted()).toBe(false);
    device.sense(0, active);
    expect(driver.interrupted()).toBe(true);
    driver.unmask(0);
    expect(driver.interrupted()).toBe(true);
    device.sense(0, idle);
    driver.unmask(0);
    expect(driver.interrupted()).toBe(false);
  });

  it('give back what was unmasked when they are disabled, when the line is given up, and when they never were enabled', () => {
    const driver = new Driver();
    for (const disable of [
      () => driver.must(GpioMessage.SET_IRQ_TYPE, 1, GpioIrqType.NONE),
      () => driver.must(GpioMessage.SET_DIRECTION, 1, NONE),
    ]) {
      driver.must(GpioMessage.SET_IRQ_TYPE, 1, GpioIrqType.EDGE_BOTH);
      driver.guest.write(UNMASKED, new Uint8Array(LINES.length).fill(9));
      driver.unmask(1);
      expect(driver.statuses()).toEqual([]);
      disable();
      expect(driver.statuses()).toEqual([9, GpioIrqStatus.INVALID, 9]);
    }
    driver.unmask(1);
    expect(driver.statuses()[1]).toBe(GpioIrqStatus.INVALID);
    expect(failures).toEqual([]);
  });

  it('of one line are not those of another', () => {
    const driver = new Driver();
    for (const line of [0, 1, 2]) {
      driver.must(GpioMessage.SET_IRQ_TYPE, line, GpioIrqType.EDGE_BOTH);
      driver.unmask(line);
    }
    driver.guest.write(UNMASKED, new Uint8Array(LINES.length).fill(9));
    device.sense(2, 1);
    expect(driver.statuses()).toEqual([9, 9, GpioIrqStatus.VALID]);
    device.sense(0, 1);
    expect(driver.statuses()[0]).toBe(GpioIrqStatus.VALID);
  });

  it('are for nobody when the driver has gone', () => {
    const driver = new Driver();
    driver.must(GpioMessage.SET_IRQ_TYPE, 0, GpioIrqType.EDGE_BOTH);
    driver.unmask(0);
    driver.guest.disconnect();
    device.sense(0, 1);
    expect(machine.descriptors.openCount).toBe(0);
    expect(server.session).toBeUndefined();
    expect(failures).toEqual([]);
  });
});

type Action =
  | { readonly do: 'sense'; readonly level: GpioLevel }
  | { readonly do: 'type'; readonly type: GpioIrqType }
  | { readonly do: 'unmask' };

test('an interrupt comes exactly when the specification says', () => {
  const action = fc.oneof<fc.Arbitrary<Action>[]>(
    fc.record({ do: fc.constant('sense' as const), level: fc.constantFrom<GpioLevel>(0, 1) }),
    fc.record({ do: fc.constant('type' as const), type: fc.constantFrom(...Object.values(GpioIrqType)) }),
    fc.record({ do: fc.constant('unmask' as const) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      machine = new FakeMachine();
      device = new VirtioGpio(
        { name: 'gpio of a', lines: LINES },
        { drive: () => undefined, released: () => undefined },
      );
      server = new VhostUserDeviceServer(machine, 's', device, {
        raise: () => undefined,
        onClosed() {},
        onFailed: (error) => failures.push(error),
      });
      const driver = new Driver();
      // The model: what 5.18.6.7 and 5.18.7 say, line by line.
      let level: GpioLevel = 0;
      let type: GpioIrqType = GpioIrqType.NONE;
      let latched = false;
      let unmasked = false;
      for (const each of actions) {
        let expected: number | undefined;
        if (each.do === 'sense') {
          const rising = level === 0 && each.level === 1;
          const falling = level === 1 && each.level === 0;
          level = each.level;
          latched ||= (rising && (type === 1 || type === 3)) || (falling && (type === 2 || type === 3));
          device.sense(0, each.level);
        } else if (each.do === 'type') {
          type = each.type;
          latched = false;
          driver.must(GpioMessage.SET_IRQ_TYPE, 0, type);
          if (type === GpioIrqType.NONE && unmasked) expected = GpioIrqStatus.INVALID;
        } else if (!unmasked) {
          unmasked = true;
          driver.unmask(0);
          if (type === GpioIrqType.NONE) expected = GpioIrqStatus.INVALID;
        }
        const active = (type === 4 && level === 1) || (type === 8 && level === 0) || latched;
        if (unmasked && type !== GpioIrqType.NONE && active) {
          expected = GpioIrqStatus.VALID;
          latched = false;
        }
        if (expected !== undefined) unmasked = false;
        expect(driver.statuses()[0]).toBe(expected);
      }
      expect(failures).toEqual([]);
      server.close();
    }),
    { numRuns: 300 },
  );
});
