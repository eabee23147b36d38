// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine } from '../machine.js';

/** Assembles a 64-bit program that runs at `base`. */
export function assemble(source: string, base = Machine.IMAGE_BASE): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'bare-metal-'));
  const [object, image] = [join(folder, 'guest.o'), join(folder, 'guest.bin')];
  try {
    execFileSync('as', ['--64', '-o', object, '-'], { input: `.text\n${source}\n` });
    const place = ['-Ttext', `0x${base.toString(16)}`];
    const form = ['--oformat', 'binary', '-e', '0'];
    execFileSync('ld', [...place, ...form, '-o', image, object]);
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * An interrupt table whose `vector` leads to the label `handler`, and nothing else; RAX is used. The table is for 256
 * vectors, and empty but for this one.
 */
export function interruptTable(vector: number): string {
  return `
    lea handler(%rip), %rax
    mov %ax, idt + ${vector} * 16(%rip)
    shr $16, %rax
    mov %ax, idt + ${vector} * 16 + 6(%rip)
    movw $0x10, idt + ${vector} * 16 + 2(%rip)
    movw $0x8e00, idt + ${vector} * 16 + 4(%rip)
    lidt idtr(%rip)
    jmp 9f
    .balign 16
  idtr: .word 0xfff
    .quad idt
    .balign 16
  idt: .fill 4096, 1, 0
  9:`;
}
