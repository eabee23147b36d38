// SPDX-License-Identifier: GPL-2.0
/*
 * A GPIO chip for tests: what is written to its line 0 appears on its lines 1
 * and 2, which raise interrupts, as if a cable were there. Line 3 is not
 * connected. The lines are named wire-out, wire-in, wire-in2 and wire-free.
 * Lines 4 and 5 are one more of each kind at the same cable, without a name,
 * as sysfs wants them to have numbers.
 *
 * Besides, writing 0 or 1 to the parameter `level` does what somebody at the
 * other end of the cable would do.
 */
#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/gpio/driver.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define VTGPIO_WIRE_LINES	6

struct vtgpio_wire {
	struct gpio_chip chip;
	struct irq_work edge;
	spinlock_t lock;	/* protects all below */
	bool out[2];		/* what lines 0 and 4 drive */
	bool other;		/* what the other end drives */
	bool level;		/* of the cable: the or of all */
	unsigned long rising;	/* lines of the cable that want this edge */
	unsigned long falling;
	unsigned long enabled;
	unsigned long raise;	/* lines whose interrupt is due */
};

static bool can_sleep;
module_param(can_sleep, bool, 0444);
MODULE_PARM_DESC(can_sleep, "lines cannot be read in an interrupt, as those of an expander");

static struct vtgpio_wire vtgpio_wire;
static struct platform_device *vtgpio_wire_device;
static bool vtgpio_wire_ready;

static void vtgpio_wire_drive(struct vtgpio_wire *wire, bool *end, bool value)
{
	unsigned long flags, raise = 0;
	bool level;

	spin_lock_irqsave(&wire->lock, flags);
	*end = value;
	level = wire->out[0] || wire->out[1] || wire->other;
	if (level != wire->level) {
		wire->level = level;
		raise = (level ? wire->rising : wire->falling) & wire->enabled;
		wire->raise |= raise;
	}
	spin_unlock_irqrestore(&wire->lock, flags);
	if (raise)
		irq_work_queue(&wire->edge);
}

/* In a hard interrupt, where a real chip would be. */
static void vtgpio_wire_edge(struct irq_work *work)
{
	struct vtgpio_wire *wire = container_of(work, struct vtgpio_wire, edge);
	unsigned long flags, raise;
	unsigned int line;

	spin_lock_irqsave(&wire->lock, flags);
	raise = wire->raise;
	wire->raise = 0;
	spin_unlock_irqrestore(&wire->lock, flags);
	for_each_set_bit(line, &raise, VTGPIO_WIRE_LINES)
		generic_handle_domain_irq(wire->chip.irq.domain, line);
}

static bool vtgpio_wire_joined(unsigned int line)
{
	return line != 3;
}

/* What an output drives; NULL: it is none. */
static bool *vtgpio_wire_end(struct gpio_chip *chip, unsigned int line)
{
	struct vtgpio_wire *wire = gpiochip_get_data(chip);

	switch (line) {
	case 0:
		return &wire->out[0];
	case 4:
		return &wire->out[1];
	default:
		return NULL;
	}
}

static int vtgpio_wire_get_direction(struct gpio_chip *chip, unsigned int line)
{
	return vtgpio_wire_end(chip, line) ? GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int vtgpio_wire_input(struct gpio_chip *chip, unsigned int line)
{
	return vtgpio_wire_end(chip, line) ? -EINVAL : 0;
}

static int vtgpio_wire_get(struct gpio_chip *chip, unsigned int line)
{
	struct vtgpio_wire *wire = gpiochip_get_data(chip);

	if (can_sleep)
		usleep_range(50, 100);
	return vtgpio_wire_joined(line) && READ_ONCE(wire->level);
}

static void vtgpio_wire_set(struct gpio_chip *chip, unsigned int line, int value)
{
	bool *end = vtgpio_wire_end(chip, line);

	if (end)
		vtgpio_wire_drive(gpiochip_get_data(chip), end, value);
}

static int vtgpio_wire_output(struct gpio_chip *chip, unsigned int line, int value)
{
	if (!vtgpio_wire_end(chip, line))
		return -EINVAL;
	vtgpio_wire_set(chip, line, value);
	return 0;
}

static void vtgpio_wire_mask(struct irq_data *data)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);
	struct vtgpio_wire *wire = gpiochip_get_data(chip);

	clear_bit(irqd_to_hwirq(data), &wire->enabled);
	gpiochip_disable_irq(chip, irqd_to_hwirq(data));
}

static void vtgpio_wire_unmask(struct irq_data *data)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);
	struct vtgpio_wire *wire = gpiochip_get_data(chip);

	gpiochip_enable_irq(chip, irqd_to_hwirq(data));
	set_bit(irqd_to_hwirq(data), &wire->enabled);
}

static int vtgpio_wire_set_type(struct irq_data *data, unsigned int type)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);
	struct vtgpio_wire *wire = gpiochip_get_data(chip);
	irq_hw_number_t line = irqd_to_hwirq(data);

	if (!(type & IRQ_TYPE_EDGE_BOTH) || (type & IRQ_TYPE_LEVEL_MASK))
		return -EINVAL;
	if (!vtgpio_wire_joined(line))
		type = IRQ_TYPE_NONE;
	assign_bit(line, &wire->rising, type & IRQ_TYPE_EDGE_RISING);
	assign_bit(line, &wire->falling, type & IRQ_TYPE_EDGE_FALLING);
	irq_set_handler_locked(data, handle_simple_irq);
	return 0;
}

static const struct irq_chip vtgpio_wire_irq_chip = {
	.name = "vtgpio-wire",
	.irq_mask = vtgpio_wire_mask,
	.irq_unmask = vtgpio_wire_unmask,
	.irq_set_type = vtgpio_wire_set_type,
	.flags = IRQCHIP_IMMUTABLE,
	GPIOCHIP_IRQ_RESOURCE_HELPERS,
};

static const char * const vtgpio_wire_names[VTGPIO_WIRE_LINES] = {
	"wire-out", "wire-in", "wire-in2", "wire-free"
};

static int vtgpio_wire_level_set(const char *text, const struct kernel_param *param)
{
	bool value;
	int err;

	err = kstrtobool(text, &value);
	if (err)
		return err;
	if (!vtgpio_wire_ready)
		return -ENODEV;
	vtgpio_wire_drive(&vtgpio_wire, &vtgpio_wire.other, value);
	return 0;
}

static int vtgpio_wire_level_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", READ_ONCE(vtgpio_wire.level));
}

static const struct kernel_param_ops vtgpio_wire_level_ops = {
	.set = vtgpio_wire_level_set,
	.get = vtgpio_wire_level_get,
};
module_param_cb(level, &vtgpio_wire_level_ops, NULL, 0644);
MODULE_PARM_DESC(level, "what the other end of the cable drives");

static int __init vtgpio_wire_init(void)
{
	struct vtgpio_wire *wire = &vtgpio_wire;
	struct gpio_chip *chip = &wire->chip;
	int err;

	vtgpio_wire_device =
		platform_device_register_simple("vtgpio-wire", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(vtgpio_wire_device))
		return PTR_ERR(vtgpio_wire_device);

	spin_lock_init(&wire->lock);
	wire->edge = IRQ_WORK_INIT_HARD(vtgpio_wire_edge);
	chip->label = "vtgpio-wire";
	chip->parent = &vtgpio_wire_device->dev;
	chip->owner = THIS_MODULE;
	chip->base = -1;
	chip->ngpio = VTGPIO_WIRE_LINES;
	chip->can_sleep = can_sleep;
	chip->names = vtgpio_wire_names;
	chip->get_direction = vtgpio_wire_get_direction;
	chip->direction_input = vtgpio_wire_input;
	chip->direction_output = vtgpio_wire_output;
	chip->get = vtgpio_wire_get;
	chip->set = vtgpio_wire_set;
	gpio_irq_chip_set_chip(&chip->irq, &vtgpio_wire_irq_chip);
	chip->irq.default_type = IRQ_TYPE_NONE;
	chip->irq.handler = handle_simple_irq;
	err = gpiochip_add_data(chip, wire);
	if (err)
		platform_device_unregister(vtgpio_wire_device);
	else
		vtgpio_wire_ready = true;
	return err;
}
module_init(vtgpio_wire_init);

static void __exit vtgpio_wire_exit(void)
{
	vtgpio_wire_ready = false;
	irq_work_sync(&vtgpio_wire.edge);
	gpiochip_remove(&vtgpio_wire.chip);
	platform_device_unregister(vtgpio_wire_device);
}
module_exit(vtgpio_wire_exit);

MODULE_DESCRIPTION("GPIO lines joined by a cable, for the tests of vtgpio");
MODULE_AUTHOR("oneclock developers");
MODULE_LICENSE("GPL");
