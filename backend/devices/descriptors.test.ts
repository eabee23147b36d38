// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addon } from '../../host/native/index.js';
import { processDescriptors } from './descriptors.js';

let folder: string;
let fifo: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-'));
  fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('processDescriptors', () => {
  it('takes the waiting from a socket, which is full at some time', () => {
    const [own, other] = addon.socketPair();
    expect(processDescriptors.setNonBlocking(own)).toBe(true);
    expect(() => {
      for (;;) writeSync(own, new Uint8Array(4096));
    }).toThrow('EAGAIN');
    expect(processDescriptors.signal(own)).toBe(true);
    processDescriptors.close(other);
    expect(processDescriptors.signal(own)).toBe(false);
    processDescriptors.close(own);
  });

  it('changes nothing else', () => {
    const waiting = openSync(fifo, constants.O_RDWR);
    const hurried = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    expect([waiting, hurried].map(processDescriptors.setNonBlocking)).toEqual([false, true]);
    for (const descriptor of [waiting, hurried]) processDescriptors.close(descriptor);
    expect(() => closeSync(waiting)).toThrow('EBADF');
  });

  it('signals with one, also where nobody has read the last', () => {
    const descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    expect(processDescriptors.signal(descriptor)).toBe(true);
    const bytes = new Uint8Array(16);
    expect(readSync(descriptor, bytes)).toBe(8);
    expect([...bytes.subarray(0, 8)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => {
      for (;;) writeSync(descriptor, new Uint8Array(4096));
    }).toThrow('EAGAIN');
    expect(processDescriptors.signal(descriptor)).toBe(true);
    processDescriptors.close(descriptor);
  });

  it('says where nobody hears a signal', () => {
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(reader);
    expect(processDescriptors.signal(writer)).toBe(false);
    processDescriptors.close(writer);
  });
});
