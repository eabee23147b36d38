// SPDX-License-Identifier: GPL-2.0
/*
 * vtgpio: stops and continues processes at the edges of GPIO lines, so that
 * boards that share a line stand still together.
 *
 * The lines are described by a device-tree node, or by module parameters, for
 * which the module makes a platform device of its own.
 */
#include <linux/device.h>
#include <linux/gpio/machine.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "vtgpio.h"

static unsigned int number = 7;
module_param(number, uint, 0444);
MODULE_PARM_DESC(number, "the folder is /sys/vt/VT<number> (default 7)");

static char *pause;
module_param(pause, charp, 0444);
MODULE_PARM_DESC(pause, "line whose rising edge pauses: NAME, or CHIP-LABEL:OFFSET");

static char *resume;
module_param(resume, charp, 0444);
MODULE_PARM_DESC(resume, "line whose falling edge resumes (default: the pause line)");

static char *signal;
module_param(signal, charp, 0444);
MODULE_PARM_DESC(signal, "line that a local freeze drives (default: none)");

static unsigned int period_ms;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "pause by itself each time it has run for so long (default 0: never)");

static unsigned int watchdog_ms = 10000;
module_param(watchdog_ms, uint, 0444);
MODULE_PARM_DESC(watchdog_ms, "longest pause, 0 for any (default 10000); also in sysfs");

static char *method;
module_param(method, charp, 0444);
MODULE_PARM_DESC(method, "park, stop or signal (default: the first the kernel allows); also in sysfs");

static void vtgpio_put(void *data)
{
	struct vtgpio *vt = data;

	kobject_put(&vt->kobj);
}

static void vtgpio_stop(void *data)
{
	struct vtgpio *vt = data;

	vtgpio_lines_ignore(vt);
	vtgpio_pause_exit(vt);
	vtgpio_sysfs_remove(vt);
	vtgpio_unwatch(vt);
	vtgpio_drain(vt);
}

static int vtgpio_choose_method(struct vtgpio *vt)
{
	int which = vtgpio_can_park() ? VTGPIO_PARK : VTGPIO_STOP;

	if (method)
		which = sysfs_match_string(vtgpio_methods, method);
	if (which < 0)
		return dev_err_probe(vt->dev, which, "no such method: %s\n", method);
	if (which == VTGPIO_PARK && !vtgpio_can_park())
		return dev_err_probe(vt->dev, -EOPNOTSUPP, "this kernel cannot park\n");
	vt->method = which;
	return 0;
}

static int vtgpio_setup(struct device *dev)
{
	u32 which = number, period = period_ms, watchdog = watchdog_ms;
	struct vtgpio *vt;
	int err;

	/* What is absent leaves the module's parameters as they are. */
	device_property_read_u32(dev, "oneclock,number", &which);
	device_property_read_u32(dev, "oneclock,period-ms", &period);
	device_property_read_u32(dev, "oneclock,watchdog-ms", &watchdog);
	if (period > VTGPIO_MAX_MS || watchdog > VTGPIO_MAX_MS)
		return dev_err_probe(dev, -EINVAL, "more than a day\n");

	vt = kzalloc(sizeof(*vt), GFP_KERNEL);
	if (!vt)
		return -ENOMEM;
	kobject_init(&vt->kobj, &vtgpio_ktype);
	err = devm_add_action_or_reset(dev, vtgpio_put, vt);
	if (err)
		return err;

	vt->dev = dev;
	mutex_init(&vt->drive);
	spin_lock_init(&vt->lock);
	INIT_LIST_HEAD(&vt->processes);
	INIT_LIST_HEAD(&vt->pending);
	init_waitqueue_head(&vt->drained);
	vt->tdf = VTGPIO_TDF_NORMAL;
	vt->period_ms = period;
	vt->watchdog_ms = watchdog;
	vtgpio_pause_init(vt);
	err = vtgpio_choose_method(vt);
	if (err)
		return err;
	err = vtgpio_clock_create(vt);
	if (err)
		return err;
	err = vtgpio_lines_get(vt);
	if (err)
		return err;

	vtgpio_watch(vt);
	err = vtgpio_sysfs_add(vt, which);
	if (err) {
		vtgpio_unwatch(vt);
		return dev_err_probe(dev, err, "/sys/vt/VT%u\n", which);
	}
	err = devm_add_action_or_reset(dev, vtgpio_stop, vt);
	if (err)
		return err;
	err = vtgpio_lines_listen(vt);
	if (err)
		return err;
	vtgpio_pause_start(vt);
	return 0;
}

/* The result of the last probe; what its caller is told depends on the bus. */
static int vtgpio_probed;

static int vtgpio_probe(struct platform_device *pdev)
{
	vtgpio_probed = vtgpio_setup(&pdev->dev);
	return vtgpio_probed;
}

static const struct of_device_id vtgpio_of_match[] = {
	{ .compatible = "oneclock,vtgpio" },
	{ }
};
MODULE_DEVICE_TABLE(of, vtgpio_of_match);

static struct platform_driver vtgpio_driver = {
	.probe = vtgpio_probe,
	.driver = {
		.name = "vtgpio",
		.of_match_table = vtgpio_of_match,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
		/* The table of lines that parameters make is gone after loading. */
		.suppress_bind_attrs = true,
	},
};

/* --- a device described by parameters ------------------------------------ */

static struct platform_device *vtgpio_device;

static struct gpiod_lookup_table vtgpio_lookup = {
	.dev_id = "vtgpio",
	.table = { { }, { }, { }, { } },	/* three lines and the end */
};

/*
 * "NAME", or "LABEL:OFFSET", which is cut at its last colon. *@copy is the
 * caller's to free, when the table is not in use any more.
 */
static int vtgpio_describe(unsigned int *nr, const char *role, const char *line,
			   char **copy)
{
	u16 offset = U16_MAX;	/* gpiolib: the key is the name of a line */
	char *colon;

	if (!line)
		return 0;
	if (!*line)
		return -EINVAL;
	*copy = kstrdup(line, GFP_KERNEL);
	if (!*copy)
		return -ENOMEM;
	colon = strrchr(*copy, ':');
	if (colon && colon != *copy && !kstrtou16(colon + 1, 10, &offset)) {
		if (offset == U16_MAX)
			return -EINVAL;
		*colon = '\0';
	}
	vtgpio_lookup.table[(*nr)++] =
		GPIO_LOOKUP(*copy, offset, role, GPIO_ACTIVE_HIGH);
	return 0;
}

/* The table is used while the device is probed, and not after. */
static int vtgpio_make_device(void)
{
	char *copies[3] = { };
	unsigned int nr = 0, i;
	bool one_line;
	int err;

	/* The same line twice is one line for both edges. */
	one_line = pause && resume && !strcmp(pause, resume);
	err = vtgpio_describe(&nr, "pause", pause, &copies[0]);
	if (!err && !one_line)
		err = vtgpio_describe(&nr, "resume", resume, &copies[1]);
	if (!err)
		err = vtgpio_describe(&nr, "signal", signal, &copies[2]);
	if (err)
		goto free;

	gpiod_add_lookup_table(&vtgpio_lookup);
	vtgpio_probed = -ENODEV;
	vtgpio_device = platform_device_register_simple("vtgpio", PLATFORM_DEVID_NONE,
							NULL, 0);
	gpiod_remove_lookup_table(&vtgpio_lookup);
	if (IS_ERR(vtgpio_device)) {
		err = PTR_ERR(vtgpio_device);
	} else if (vtgpio_probed) {
		/* Who loads a module waits for no line that may come later. */
		err = vtgpio_probed == -EPROBE_DEFER ? -ENODEV : vtgpio_probed;
		platform_device_unregister(vtgpio_device);
	}
free:
	for (i = 0; i < ARRAY_SIZE(copies); i++)
		kfree(copies[i]);
	return err;
}

static bool vtgpio_in_devicetree(void)
{
	struct device_node *node = of_find_matching_node(NULL, vtgpio_of_match);

	of_node_put(node);
	return node;
}

static int __init vtgpio_init(void)
{
	bool described = pause || resume || signal || period_ms;
	int err;

	/* The locks that are taken in hard interrupts sleep there. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -EOPNOTSUPP;
	if (!described && !vtgpio_in_devicetree())
		return -ENODEV;

	err = vtgpio_sysfs_init();
	if (err)
		return err;
	vtgpio_hold_init();
	vtgpio_processes_init();
	err = platform_driver_register(&vtgpio_driver);
	if (err)
		goto exit;
	if (described)
		err = vtgpio_make_device();
	if (!err)
		return 0;

	platform_driver_unregister(&vtgpio_driver);
exit:
	vtgpio_hold_drain();
	vtgpio_processes_exit();
	vtgpio_sysfs_exit();
	return err;
}
module_init(vtgpio_init);

static void __exit vtgpio_exit(void)
{
	/* NULL when the device tree has described the device. */
	platform_device_unregister(vtgpio_device);
	platform_driver_unregister(&vtgpio_driver);
	vtgpio_hold_drain();
	vtgpio_processes_exit();
	vtgpio_sysfs_exit();
}
module_exit(vtgpio_exit);

MODULE_DESCRIPTION("Stops and continues processes at the edges of GPIO lines");
MODULE_AUTHOR("oneclock developers");
MODULE_LICENSE("GPL");
