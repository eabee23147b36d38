// SPDX-License-Identifier: MIT
import type { NativeHub } from '../../native/index.js';
import { type MachineHandler, NO_REQUEST, type PlatformOptions } from '../index.js';
import { type Guest, start, wait } from './guests.js';

/** Guest-physical address of the clock page of these guests. */
export const PAGE = 0x100000;
export const TIME_OF_DAY = 1_767_225_600_000_000_000n;

/** Assembly: names and macros of hypercall.h. RBX is the page; RAX and RDX are used. */
export const CLOCK = `
  .set PAGE, ${PAGE}
  .set NOW, 0; .set FREE, 8; .set REQ, 16; .set TOD, 24; .set ARG, 32; .set RET, 56
  .set VERSION, 64; .set FEATURES, 68; .set VECTOR, 72
  .macro START vector=0, features=0
    mov $PAGE, %ebx
    movl $1, VERSION(%rbx)
    movl $\\features, FEATURES(%rbx)
    movl $\\vector, VECTOR(%rbx)
    movq $-1, REQ(%rbx)
    mov $PAGE >> 12, %eax
    mov $0x6c0, %edx
    out %eax, %dx
  .endm
  .macro RING op, arg
    .ifnb \\arg
      mov \\arg, %rax
      mov %rax, ARG(%rbx)
    .endif
    mov $\\op, %eax
    mov $0x6c4, %edx
    out %eax, %dx
  .endm
  # Takes the interrupts that wait. The access is for a KVM that looks for them at exits only.
  .macro TAKE
    sti
    nop
    out %al, $0x80
    cli
  .endm
  # Both interrupt controllers, with vectors from 0x30 on; what is masked of each.
  .macro PICS first=0, second=0
    .irp port, 0x20, 0xa0
      mov $0x11, %al
      out %al, $\\port
    .endr
    mov $0x30, %al
    out %al, $0x21
    mov $0x38, %al
    out %al, $0xa1
    mov $4, %al
    out %al, $0x21
    mov $2, %al
    out %al, $0xa1
    mov $1, %al
    out %al, $0x21
    out %al, $0xa1
    mov $\\first, %al
    out %al, $0x21
    mov $\\second, %al
    out %al, $0xa1
  .endm
  .macro PUT port, value
    mov $\\port, %edx
    mov $\\value, %eax
    out %al, %dx
  .endm
  .macro FETCH port
    mov $\\port, %edx
    xor %eax, %eax
    in %dx, %al
  .endm
  .macro GATE vector, to
    lea \\to(%rip), %rax
    mov %ax, idt + \\vector * 16(%rip)
    movw $0x10, idt + \\vector * 16 + 2(%rip)
    movw $0x8e00, idt + \\vector * 16 + 4(%rip)
    shr $16, %rax
    mov %ax, idt + \\vector * 16 + 6(%rip)
  .endm
  # What a device of these tests is told: %rax.
  .macro TELL
    mov $0xd0000000, %edx
    mov %rax, (%rdx)
  .endm
  .macro TELLS what
    mov \\what, %rax
    TELL
  .endm
`;

/** A guest in virtual time. Its log has what it told, its waits, operations and interrupts, each with its time. */
export interface ClockGuest extends Guest {
  /** Lets it begin or go on, until it waits again or is no more. */
  run(at: bigint, until: bigint): void;
}

export function startClock(
  hub: NativeHub,
  source: string,
  own: Partial<MachineHandler> = {},
  options: Partial<PlatformOptions> = {},
): ClockGuest {
  const log: string[] = [];
  const machineOf = () => guest.machine;
  const platform = { clock: 'page', timeOfDay: TIME_OF_DAY, features: 0, devices: 1, ...options } as const;
  const guest = start(
    hub,
    `${CLOCK}\n${source}`,
    {
      onWrite: (_address, _size, value) => log.push(`${machineOf().now}: told ${value}`),
      onWait: () => {
        const { now, request } = machineOf();
        log.push(`${now}: wait${request === NO_REQUEST ? '' : ` for ${request}`}`);
      },
      onBell: (operation, args) => {
        log.push(`${machineOf().now}: operation ${operation} (${args.join(', ')})`);
        return 0n;
      },
      onSerial: (bytes) =>
        log.push(`${machineOf().now}: says ${JSON.stringify(Buffer.from(bytes).toString())}`),
      onPower: (how) => log.push(`${machineOf().now}: ${how}`),
      onKick: () => log.push('kick'),
      ...own,
    },
    'g',
    platform,
  );
  const ended = () => guest.ends.length > 0 || / (off|reboot|panic)$/.test(log.at(-1) ?? '');
  return {
    ...guest,
    log,
    run: (at, until) => {
      guest.machine.run(at, until);
      wait(hub, 'a guest that waits', () => guest.machine.waiting || ended());
    },
  };
}

/** Runs a guest from 0 to `until`, and on where it waits, until it waits for nothing. @returns the log */
export function runClock(
  hub: NativeHub,
  source: string,
  until: bigint,
  own: Partial<MachineHandler> = {},
  options: Partial<PlatformOptions> = {},
): string[] {
  const guest = startClock(hub, source, own, options);
  guest.run(0n, until);
  while (guest.machine.waiting && guest.machine.request !== NO_REQUEST) {
    const at = guest.machine.request;
    guest.run(at, at + until);
  }
  guest.machine.stop();
  return [...guest.log, ...guest.ends.map(({ message }) => message)];
}
