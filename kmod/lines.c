// SPDX-License-Identifier: GPL-2.0
/*
 * The signal, pause and resume lines.
 */
#include <linux/device.h>
#include <linux/gpio/consumer.h>
#include <linux/interrupt.h>
#include <linux/timekeeping.h>

#include "vtgpio.h"

static bool vtgpio_level(struct gpio_desc *line)
{
	/* An error counts as low: a line that cannot be read freezes nobody. */
	return (gpiod_cansleep(line) ? gpiod_get_value_cansleep(line) :
				       gpiod_get_value(line)) > 0;
}

static void vtgpio_count_edge(struct vtgpio *vt)
{
	unsigned long flags;

	spin_lock_irqsave(&vt->lock, flags);
	vt->edges++;
	spin_unlock_irqrestore(&vt->lock, flags);
}

static irqreturn_t vtgpio_pause_edge(int irq, void *data)
{
	u64 now = ktime_get_ns();
	struct vtgpio *vt = data;

	vtgpio_pause(vt, now);
	vtgpio_count_edge(vt);
	return IRQ_HANDLED;
}

static irqreturn_t vtgpio_resume_edge(int irq, void *data)
{
	u64 now = ktime_get_ns();
	struct vtgpio *vt = data;

	vtgpio_resume(vt, now);
	vtgpio_count_edge(vt);
	return IRQ_HANDLED;
}

/*
 * One line for both. The level decides, so when edges come faster than they
 * are handled, the last one wins.
 */
static irqreturn_t vtgpio_either_edge(int irq, void *data)
{
	struct vtgpio *vt = data;

	return vtgpio_level(vt->lines.pause) ? vtgpio_pause_edge(irq, data) :
					       vtgpio_resume_edge(irq, data);
}

/*
 * The same for a line that can be read by a thread only, such as one of an
 * expander. The edge is taken for the other one than the last at once; then
 * the thread reads the level, which decides.
 */
static irqreturn_t vtgpio_some_edge(int irq, void *data)
{
	struct vtgpio *vt = data;

	WRITE_ONCE(vt->lines.guessed, true);
	if (READ_ONCE(vt->paused))
		vtgpio_resume_edge(irq, data);
	else
		vtgpio_pause_edge(irq, data);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t vtgpio_settle(int irq, void *data)
{
	u64 now = ktime_get_ns();
	struct vtgpio *vt = data;

	/* An interrupt that is a thread's itself has had nobody to guess. */
	if (!xchg(&vt->lines.guessed, false))
		vtgpio_count_edge(vt);
	if (vtgpio_level(vt->lines.pause))
		vtgpio_pause(vt, now);
	else
		vtgpio_resume(vt, now);
	return IRQ_HANDLED;
}

/* Takes the lines that are described; the pause line has to be. */
int vtgpio_lines_get(struct vtgpio *vt)
{
	struct vtgpio_lines *lines = &vt->lines;

	lines->pause = devm_gpiod_get_optional(vt->dev, "pause", GPIOD_IN);
	if (IS_ERR(lines->pause))
		return dev_err_probe(vt->dev, PTR_ERR(lines->pause), "pause line\n");
	lines->resume = devm_gpiod_get_optional(vt->dev, "resume", GPIOD_IN);
	if (IS_ERR(lines->resume))
		return dev_err_probe(vt->dev, PTR_ERR(lines->resume), "resume line\n");
	lines->signal = devm_gpiod_get_optional(vt->dev, "signal", GPIOD_OUT_LOW);
	if (IS_ERR(lines->signal))
		return dev_err_probe(vt->dev, PTR_ERR(lines->signal), "signal line\n");

	/* A module that pauses itself can do without lines; no other can. */
	if (!lines->pause && (lines->resume || lines->signal || !vt->period_ms))
		return dev_err_probe(vt->dev, -EINVAL, "no pause line\n");
	return 0;
}

/* With a thread, the handler is called in the interrupt and the thread after it. */
static int vtgpio_listen(struct vtgpio *vt, struct gpio_desc *line,
			 irq_handler_t handler, irq_handler_t thread, unsigned long edges)
{
	int irq = gpiod_to_irq(line), err;

	if (irq < 0)
		return irq;
	if (gpiod_is_active_low(line) && edges != (IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING))
		edges ^= IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
	if (thread)
		err = request_threaded_irq(irq, handler, thread, edges, "vtgpio", vt);
	else
		err = request_any_context_irq(irq, handler, edges, "vtgpio", vt);
	return err < 0 ? err : irq;
}

int vtgpio_lines_listen(struct vtgpio *vt)
{
	struct vtgpio_lines *lines = &vt->lines;
	int irq;

	if (!lines->pause)
		return 0;
	if (!lines->resume) {
		bool sleeps = gpiod_cansleep(lines->pause);

		irq = vtgpio_listen(vt, lines->pause,
				    sleeps ? vtgpio_some_edge : vtgpio_either_edge,
				    sleeps ? vtgpio_settle : NULL,
				    IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING);
		if (irq < 0)
			return dev_err_probe(vt->dev, irq, "interrupt of the pause line\n");
		lines->pause_irq = irq;
		return 0;
	}

	irq = vtgpio_listen(vt, lines->resume, vtgpio_resume_edge, NULL, IRQF_TRIGGER_FALLING);
	if (irq < 0)
		return dev_err_probe(vt->dev, irq, "interrupt of the resume line\n");
	lines->resume_irq = irq;
	irq = vtgpio_listen(vt, lines->pause, vtgpio_pause_edge, NULL, IRQF_TRIGGER_RISING);
	if (irq < 0) {
		vtgpio_lines_ignore(vt);
		return dev_err_probe(vt->dev, irq, "interrupt of the pause line\n");
	}
	lines->pause_irq = irq;
	return 0;
}

void vtgpio_lines_ignore(struct vtgpio *vt)
{
	if (vt->lines.pause_irq)
		free_irq(vt->lines.pause_irq, vt);
	if (vt->lines.resume_irq)
		free_irq(vt->lines.resume_irq, vt);
	vt->lines.pause_irq = 0;
	vt->lines.resume_irq = 0;
}

/* The pause itself comes back as an edge, as on every other board. May sleep. */
int vtgpio_drive(struct vtgpio *vt, bool freeze)
{
	int err = 0;

	if (!vt->lines.signal)
		return -ENODEV;

	mutex_lock(&vt->drive);
	if (freeze && READ_ONCE(vt->dead))
		err = -ENODEV;
	else
		gpiod_set_value_cansleep(vt->lines.signal, freeze);
	mutex_unlock(&vt->drive);
	return err;
}
