// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { OneclockError } from '../../backend/errors.js';
import { packageFile } from '../package-root.js';
import { Machine, type MachineEnd, type MachineHandler, whyNoKvm } from './index.js';
import {
  type Guest,
  LIMIT_MS,
  MEMORY,
  missing,
  newHub,
  openFiles,
  run,
  start,
  wait,
} from './testing/guests.js';

describe.skipIf(missing !== '')(`the end of a guest${missing && ` (${missing})`}`, () => {
  const only = ({ ends }: Guest): MachineEnd => {
    expect(ends).toHaveLength(1);
    return ends[0] as MachineEnd;
  };

  test('a triple fault is told with its name, registers and last exit', () => {
    const end = only(run('mov $0x1234, %ebx; mov $7, %al; out %al, $0x10; ud2'));
    expect(end.message).toMatch(
      /^guest g: triple fault; last exit: out of 0x7 \(1 bytes\) to port 0x10; (registers at that exit: )?rip=0x1000[0-9a-f] .* rbx=0x1234 /,
    );
    expect(end.registers).toMatchObject({ rbx: 0x1234n, rax: 7n });
  });

  test.each([
    ['a jump to where nothing is mapped', 'mov $0x8000000000, %rax; jmp *%rax', /triple fault/],
    ['a write to where nothing is mapped', 'mov $0x8000000000, %rax; mov %al, (%rax)', /triple fault/],
    ['an address that is none', 'movabs $0x8000000000000000, %rax; mov %al, (%rax)', /triple fault/],
    ['no stack', 'mov $0x8000000000, %rsp; push %rax', /triple fault/],
  ])('%s', (_what, source, message) => {
    expect(only(run(source)).message).toMatch(message);
  });

  test('a jump out of its memory', () => {
    const hub = newHub();
    const guest = start(hub, 'mov $0xc0000000, %eax; jmp *%rax');
    wait(hub, 'its end', () => guest.ends.length > 0);
    expect(only(guest).message).toMatch(/^guest g: (KVM cannot go on|triple fault|KVM stops)/);
  });

  test('a device fails it', () => {
    const hub = newHub();
    const guest: Guest = start(hub, 'mov $0x6c4, %dx; mov $9, %eax; out %eax, %dx; hlt', {
      onOut: () => guest.machine.fail('a doorbell that nobody knows'),
    });
    wait(hub, 'its end', () => guest.ends.length > 0);
    expect(only(guest).message).toMatch(
      /^guest g: a doorbell that nobody knows; last exit: out of 0x9 \(4 bytes\) to port 0x6c4; rip=/,
    );
    expect(guest.log).toEqual([]);
  });

  test('its memory is there until the handler that ended it has returned', () => {
    const hub = newHub();
    let bytes = -1;
    const guest: Guest = start(hub, 'mov $0x10, %al; out %al, $0x10; hlt', {
      onOut: () => {
        guest.machine.fail('enough');
        bytes = guest.machine.memory.bytes.length;
      },
    });
    wait(hub, 'its end', () => guest.ends.length > 0);
    expect(bytes).toBe(MEMORY);
    expect(guest.machine.memory.bytes).toHaveLength(0);
  });
});

describe('a machine that cannot be had', () => {
  const handler = {} as MachineHandler;
  const attempt = (device: string, memory = MEMORY) => {
    const before = openFiles();
    const hub = newHub();
    try {
      new Machine(hub, { name: 'g', memory, device }, handler);
      return undefined;
    } catch (error) {
      hub.close();
      const after = openFiles().filter((file) => !file.includes('eventpoll'));
      expect(after).toEqual(before.filter((file) => !file.includes('eventpoll')));
      return error as OneclockError;
    }
  };

  test.each([
    ['no device', '/dev/no-kvm', /^no \/dev\/no-kvm: load the module/],
    // A file that not even root may write.
    ['no permission', '/sys/kernel/uevent_seqnum', /^no permission: .* group/],
    ['something else', '/dev/null', /\/dev\/null cannot run 64-bit guests/],
  ])('%s', (_what, device, message) => {
    expect(attempt(device)).toMatchObject({ code: 'MACHINE', message: expect.stringMatching(message) });
    expect(whyNoKvm(device)).toMatch(message);
  });

  test.each([0, -4096, 4096, MEMORY + 1, 1.5, Number.NaN, 4 * 2 ** 30])('memory of %d bytes', (memory) => {
    expect(attempt('/dev/kvm', memory)).toMatchObject({
      code: 'INPUT',
      message: expect.stringContaining('memory must be'),
    });
  });
});

describe.skipIf(missing !== '')(`a process that has a guest${missing && ` (${missing})`}`, () => {
  // No stop(): the process ends by itself, and the guest is in its way.
  const program = (last: string) => `
    const addon = require(${JSON.stringify(packageFile('build/oneclock.node'))});
    const length = 1 << 20;
    const memory = addon.createSharedMemory(length);
    const machine = new addon.Machine('/dev/kvm', memory, length);
    const image = new Uint8Array(new addon.Mapping(memory, 0, length).buffer);
    image.set([0xeb, 0xfe], addon.Machine.IMAGE_BASE); // 1: jmp 1b
    machine.start(addon.Machine.IMAGE_BASE, addon.Machine.STACK, 0);
    ${last}`;

  test.each([
    ['ends', '', { status: 0, signal: null }],
    ['calls exit', 'process.exit(7);', { status: 7, signal: null }],
    ['dies of an exception', 'throw new Error("expected");', { status: 1, signal: null }],
    ['is killed', 'process.kill(process.pid, "SIGKILL");', { status: null, signal: 'SIGKILL' }],
    [
      'is asked to end',
      'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5000);',
      { signal: 'SIGTERM' },
    ],
  ])('%s', (_what, last, end) => {
    const result = spawnSync(process.execPath, ['-e', program(last)], { timeout: LIMIT_MS, stdio: 'ignore' });
    expect(result).toMatchObject(end);
  });
});
