// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MmioInterrupt, MmioRegister as R } from '../../protocols/virtio/index.js';
import { MmioDriver } from './testing/mmio-driver.js';
import { VirtioEntropy } from './virtio-entropy.js';

const AT = 0x8_0000;

function start(text: string): MmioDriver {
  const seed = createHash('sha256').update(text).digest();
  const driver = new MmioDriver(new VirtioEntropy({ name: 'entropy of a', seed }));
  driver.start(1);
  return driver;
}

/** Asks for `room` bytes. @returns those that it got, in hexadecimal */
function ask(driver: MmioDriver, room: number): string {
  driver.queues[0]?.add([{ address: AT, length: room, writable: true }]);
  driver.kick(0);
  expect(driver.interrupts()).toBe(MmioInterrupt.USED_BUFFER);
  const [used] = driver.queues[0]?.takeUsed() ?? [];
  driver.queues[0]?.wantInterrupts(true);
  return Buffer.from(driver.memory.subarray(AT, AT + (used?.length ?? 0))).toString('hex');
}

it('gives what the key stream of ChaCha20 has', () => {
  // RFC 7539, A.1, test vector 1: key and nonce of zeros, block 0.
  const driver = new MmioDriver(new VirtioEntropy({ name: 'entropy of a', seed: new Uint8Array(32) }));
  driver.start(1);
  expect(ask(driver, 32)).toBe('76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7');
});

it('gives the same bytes for the same seed, however they are asked for', () => {
  const [a, b] = [start('a'), start('a')];
  const pieces = [1, 7, 64, 128].map((room) => ask(a, room)).join('');
  expect(ask(b, 200)).toBe(pieces);
  expect(ask(start('b'), 200)).not.toBe(pieces);
});

it('goes on after a reset', () => {
  const driver = start('a');
  const before = ask(driver, 64);
  driver.set(R.STATUS, 0);
  driver.start(1);
  expect(before + ask(driver, 64)).toBe(ask(start('a'), 128));
});

it('gives no request more than 4096 bytes', () => {
  expect(ask(start('a'), 10_000)).toHaveLength(2 * 4096);
});

it('fails for a request with bytes to read', () => {
  const driver = start('a');
  driver.queues[0]?.add([{ address: AT, length: 8 }]);
  driver.kick(0);
  expect(driver.failures[0]?.message).toContain('entropy of a: queue 0 (request) head 0 has 8 bytes to read');
});

it('takes no other seed than one of 32 bytes', () => {
  expect(() => new VirtioEntropy({ name: 'e', seed: new Uint8Array(31) })).toThrow('a seed of 31 bytes');
});
