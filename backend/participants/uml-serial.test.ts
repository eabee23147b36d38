// SPDX-License-Identifier: MIT
import { closeSync, readdirSync, readSync, writeSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { addon, NativeHub } from '../../host/native/index.js';
import { SerialLine } from '../serial/index.js';
import { UmlSerial } from './uml-serial.js';

/** A line, and the other ends of its descriptors in place of a guest. */
function bench(acknowledged = true) {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  const told: string[] = [];
  const line = new SerialLine('ttyS0', acknowledged, {
    output: (bytes) => told.push(`output ${Buffer.from(bytes)}`),
    input: (bytes) => told.push(`input ${bytes.length}`),
  });
  const raised: ((done: () => void) => void)[] = [];
  const serial = new UmlSerial(
    line,
    { raise: (deliver) => raised.push(deliver), lost: (reason) => told.push(`lost: ${reason}`) },
    hub,
  );
  const [input, output, acknowledge] = serial.guestEnd.descriptors.map(addon.duplicate) as number[];
  serial.started();
  const guest = {
    read: () => {
      const bytes = Buffer.alloc(8192);
      return bytes.subarray(0, readSync(input as number, bytes)).toString();
    },
    write: (text: string) => writeSync(output as number, text),
    acknowledge: () => writeSync(acknowledge as number, '\x01'),
    close: () => {
      for (const end of [input, output, acknowledge]) if (end !== undefined) closeSync(end);
    },
  };
  onTestFinished(() => serial.close());
  /** Gives the guest the first interrupt that waits. */
  const deliver = () => raised.shift()?.(() => told.push('done'));
  return { hub, line, serial, raised, told, guest, deliver };
}

test('loses what is sent before the guest has opened the line', () => {
  const { line, raised, serial, guest } = bench();
  expect(line.send(Buffer.from('abc'))).toBe(false);
  expect([line.lost, raised.length]).toEqual([3, 0]);
  guest.acknowledge();
  expect(line.listening).toBe(false);
  serial.collect();
  expect(line.send(Buffer.from('d'))).toBe(true);
  expect([line.lost, raised.length]).toEqual([3, 1]);
  guest.close();
});

test('has given input when that is acknowledged, and not before', () => {
  const { hub, line, serial, told, guest, deliver } = bench();
  guest.acknowledge();
  serial.collect();
  const bytes = Buffer.from('abc');
  line.send(bytes);
  bytes.fill('x');
  deliver();
  expect(guest.read()).toBe('abc');
  hub.poll(0);
  expect(told).toEqual(['input 3']);
  guest.acknowledge();
  hub.poll(1000);
  expect(told).toEqual(['input 3', 'done']);
  guest.close();
});

test('gives a long input in pieces, each an interrupt; what there is no room for is lost, and waits for nothing', () => {
  const { hub, line, serial, raised, told, guest, deliver } = bench();
  guest.acknowledge();
  serial.collect();
  line.send(Buffer.alloc(8 << 20));
  expect(raised).toHaveLength(2048);
  let taken = 0;
  while (raised.length > 0) {
    told.length = 0;
    deliver();
    if (told[0] === 'done') break;
    taken++;
    guest.acknowledge();
    hub.poll(1000);
    expect(told).toEqual(['input 4096', 'done']);
  }
  expect(taken).toBeGreaterThan(1);
  expect(line.lost).toBe(4096);
  guest.close();
});

test('tells of output when it is collected', () => {
  const { hub, serial, told, guest } = bench();
  guest.write('one');
  guest.write('two');
  hub.poll(0);
  expect(told).toEqual([]);
  serial.collect();
  serial.collect();
  expect(told).toEqual(['output onetwo']);
  guest.close();
});

test('without acknowledgements, waits for none', () => {
  const { line, told, guest, deliver } = bench(false);
  expect(line.send(Buffer.from('a'))).toBe(true);
  deliver();
  expect(told).toEqual(['input 1', 'done']);
  guest.close();
});

test('tells that the guest has gone', () => {
  const { hub, line, serial, told, guest, deliver } = bench();
  guest.acknowledge();
  serial.collect();
  line.send(Buffer.from('a'));
  deliver();
  guest.close();
  hub.poll(1000);
  expect(told).toEqual(['input 1', 'done', 'lost: EPIPE (errno 32)']);
  serial.collect();
  expect(line.send(Buffer.from('b'))).toBe(false);
});

test('keeps nobody waiting when it is closed, and leaves no descriptor', () => {
  const before = readdirSync('/proc/self/fd').length;
  const { hub, line, serial, told, guest, deliver } = bench();
  guest.acknowledge();
  serial.collect();
  line.send(Buffer.from('a'));
  deliver();
  serial.close();
  serial.close();
  expect(told).toEqual(['input 1', 'done']);
  expect(line.send(Buffer.from('b'))).toBe(false);
  line.send(Buffer.from('c'));
  guest.close();
  hub.close();
  // The hub itself has one.
  expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(1);
});
