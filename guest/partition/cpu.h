/* SPDX-License-Identifier: MIT */
#ifndef PARTITION_CPU_H
#define PARTITION_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_FLAG_INTERRUPTS 0x200UL
#define CPU_CODE_SEGMENT 0x10

static inline void cpu_out8(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline bool cpu_interrupts(void)
{
	unsigned long flags;

	asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags & CPU_FLAG_INTERRUPTS;
}

static inline void cpu_interrupts_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* After STI one more instruction runs before an interrupt can come: without it, none would. */
static inline void cpu_interrupts_on(void)
{
	asm volatile("sti; nop" : : : "memory");
}

/* No interrupt can come between the two. */
static inline void cpu_interrupts_on_and_halt(void)
{
	asm volatile("sti; hlt" : : : "memory");
}

static inline void cpu_id(uint32_t leaf, uint32_t words[4])
{
	asm volatile("cpuid" : "=a"(words[0]), "=b"(words[1]), "=c"(words[2]), "=d"(words[3])
		     : "a"(leaf), "c"(0));
}

#endif
