// SPDX-License-Identifier: GPL-2.0
/*
 * The clock of the processes, on kernels that can make it stand still.
 */
#include <linux/module.h>

#include "vtgpio.h"

struct vtgpio_clock_ops vtgpio_clock;

void vtgpio_clock_init(void)
{
	vtgpio_clock.freeze = symbol_get(vt_freeze_pid);
	vtgpio_clock.unfreeze = symbol_get(vt_unfreeze_pid);
	vtgpio_clock.set_dilation = symbol_get(vt_set_dilation);

	/* A clock that could be stopped and not be started again is of no use. */
	if (!vtgpio_clock.unfreeze && vtgpio_clock.freeze) {
		symbol_put(vt_freeze_pid);
		vtgpio_clock.freeze = NULL;
	}
}

void vtgpio_clock_exit(void)
{
	if (vtgpio_clock.freeze)
		symbol_put(vt_freeze_pid);
	if (vtgpio_clock.unfreeze)
		symbol_put(vt_unfreeze_pid);
	if (vtgpio_clock.set_dilation)
		symbol_put(vt_set_dilation);
}
