// SPDX-License-Identifier: MIT

/** In the order in which the addon gives them (src/binding.cc). */
const REGISTER_NAMES = [
  ...['rip', 'rflags', 'rsp', 'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'cr0', 'cr2', 'cr3', 'cr4', 'efer'],
] as const;

/**
 * A processor's registers by their lower-case names. Control registers are missing where a triple fault has reset the
 * processor, as on AMD; the others are then those of the exit before.
 */
export type Registers = Readonly<Record<string, bigint>>;

export function namedRegisters(values: BigUint64Array): Registers {
  return Object.fromEntries(
    REGISTER_NAMES.slice(0, values.length).map((name, i) => [name, values[i] as bigint]),
  );
}

/** For messages: `rip=0x10000 rflags=0x2 …` */
export function describeRegisters(registers: Registers): string {
  const text = Object.entries(registers)
    .map(([name, value]) => `${name}=0x${value.toString(16)}`)
    .join(' ');
  return 'cr0' in registers ? text : `registers at that exit: ${text}`;
}
