// SPDX-License-Identifier: MIT
/* What a partition may not do, or does badly: FAULT says which. */
#include "cpu.h"
#include "partition.h"

#define SPIN_LOCKED 1
#define SPIN_ON_CLOCK 2
#define HALT_LOCKED 3
#define EXCEPTION 4
#define WILD_DOORBELL 5
#define NO_HANDLER_STACK 6
#define IDLE_FOR_EVER 7

void partition_main(void)
{
	partition_start(1000000, NULL);
	partition_delay(6);
	switch (FAULT) {
	case SPIN_LOCKED:
		partition_lock();
		for (;;)
			asm volatile("pause");
	case SPIN_ON_CLOCK:
		while (partition_now() < UINT64_MAX)
			asm volatile("" : : : "memory");
		break;
	case HALT_LOCKED:
		asm volatile("cli; hlt");
		break;
	case EXCEPTION:
		asm volatile("ud2");
		break;
	case WILD_DOORBELL:
		cpu_out32(ONECLOCK_HC_PORT_BELL, 0xdeadbeef);
		break;
	case NO_HANDLER_STACK:
		asm volatile("mov $-4096, %rsp; int3");
		break;
	case IDLE_FOR_EVER:
		for (;;)
			partition_wait();
	}
}
