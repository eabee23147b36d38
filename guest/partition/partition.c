// SPDX-License-Identifier: MIT
#include "partition.h"

#include "clock.h"
#include "cpu.h"
#include "queue.h"

/* The higher, the more urgent: a warp comes before all that follows the absence. */
#define VECTOR_WARP 0xff
#define VECTOR_TIMER 0xf0
#define VECTOR_LINE 0x40
#define VECTORS 256
#define VECTOR_BYTES 16
#define GATE_INTERRUPT 0x8e00

struct gate {
	uint16_t offset_low;
	uint16_t segment;
	uint16_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
} __attribute__((packed));

extern const char partition_vectors[VECTORS * VECTOR_BYTES];
void partition_begin(void);
void partition_interrupt(uint64_t vector, uint64_t address);

/* Written by the VMM as well, while the guest is stopped. */
static volatile struct oneclock_hc_page page __attribute__((aligned(ONECLOCK_HC_PAGE_BYTES)));
static struct gate gates[VECTORS] __attribute__((aligned(16)));

/* All that follows is only touched with interrupts off. */
static struct partition_clock ticks;
static struct partition_hooks hooks;
static void (*handlers[ONECLOCK_HC_LINES])(unsigned int line, uint32_t count);
static struct partition_timer *timers;
static struct partition_deadline *deadlines;
static uint64_t applied;
static bool started;
/* An interrupt may have come up while interrupts were off. */
static bool may_wait;
static volatile uint64_t interrupts;

/* The arguments are in the page: no interrupt may come between them and the result. */
static int64_t ring(uint32_t operation, uint64_t first, uint64_t second)
{
	bool locked = partition_lock();
	int64_t result;

	page.arg[0] = first;
	page.arg[1] = second;
	cpu_out32(ONECLOCK_HC_PORT_BELL, operation);
	result = page.ret;
	partition_unlock(locked);
	return result;
}

static void expect(int64_t result, const char *what)
{
	if (result != 0)
		partition_panic(what);
}

void partition_panic(const char *why)
{
	cpu_interrupts_off();
	partition_printf("panic: %s\n", why);
	for (;;)
		ring(ONECLOCK_HC_OP_END, ONECLOCK_HC_END_PANIC, 0);
}

void partition_end(void)
{
	for (;;)
		ring(ONECLOCK_HC_OP_END, ONECLOCK_HC_END_OFF, 0);
}

bool partition_lock(void)
{
	bool on = cpu_interrupts();

	cpu_interrupts_off();
	return on;
}

/*
 * Takes all interrupts that wait, and leaves interrupts off. They are sure to come at an exit to the
 * VMM, and between two instructions only where KVM looks at each: without the exit, how far the
 * program comes before an interrupt would depend on the host.
 */
static void take_interrupts(void)
{
	uint64_t before;

	may_wait = false;
	do {
		before = interrupts;
		cpu_interrupts_on();
		cpu_out32(ONECLOCK_HC_PORT_BELL, ONECLOCK_HC_OP_UPDATE);
		cpu_interrupts_off();
	} while (interrupts != before);
}

void partition_unlock(bool locked)
{
	if (!locked)
		return;
	if (may_wait)
		take_interrupts();
	cpu_interrupts_on();
}

uint64_t partition_now(void)
{
	return page.now;
}

uint64_t partition_ticks(void)
{
	return ticks.ticks;
}

uint64_t partition_slot_end(void)
{
	return page.warp.slot_end;
}

static void request_next_tick(void)
{
	page.req = partition_clock_next(&ticks);
}

static void fire_timers(void)
{
	struct partition_timer *timer;

	while ((timer = partition_timers_take(&timers, ticks.ticks)))
		timer->fire(timer);
}

static void report_deadlines(void)
{
	struct partition_deadline *deadline;

	while ((deadline = partition_deadlines_take(&deadlines, page.now))) {
		deadline->missed = true;
		ring(ONECLOCK_HC_OP_MISSED, deadline->number, deadline->at);
	}
}

static void count_own(uint64_t count)
{
	while (count--) {
		ticks.ticks++;
		if (hooks.tick)
			hooks.tick();
		fire_timers();
	}
}

static void read_warp(struct oneclock_hc_warp *warp)
{
	warp->sequence = page.warp.sequence;
	warp->left = page.warp.left;
	warp->entered = page.warp.entered;
	warp->slot_end = page.warp.slot_end;
	warp->ticks = page.warp.ticks;
	for (unsigned int line = 0; line < ONECLOCK_HC_LINES; line++)
		warp->pending[line] = page.warp.pending[line];
}

/* Hooks and handlers may use up the slot, and the page then has another warp: hence the copy. */
static void apply_warp(void)
{
	struct oneclock_hc_warp warp;
	uint64_t own;

	if (page.warp.sequence == applied)
		return;
	read_warp(&warp);
	applied = warp.sequence;
	if (!partition_clock_warp(&ticks, page.now, warp.ticks, &own))
		partition_panic("a warp of more ticks than have passed");
	ring(ONECLOCK_HC_OP_WARPED, warp.sequence, 0);
	report_deadlines();
	/* Of the slots before, with interrupts off. */
	count_own(own);
	for (unsigned int line = 0; line < ONECLOCK_HC_LINES; line++) {
		if (warp.pending[line] && handlers[line])
			handlers[line](line, warp.pending[line]);
	}
	if (hooks.warp)
		hooks.warp(&warp);
	fire_timers();
}

static void handle(uint64_t vector)
{
	/* Whatever interrupt comes first after an entry. */
	apply_warp();
	if (vector >= VECTOR_LINE && vector < VECTOR_LINE + ONECLOCK_HC_LINES) {
		unsigned int line = (unsigned int)(vector - VECTOR_LINE);

		handlers[line](line, 1);
	} else if (vector == VECTOR_TIMER) {
		report_deadlines();
		count_own(partition_clock_uncounted(&ticks, page.now));
	}
	request_next_tick();
}

void partition_interrupt(uint64_t vector, uint64_t address)
{
	if (vector < ONECLOCK_HC_VECTOR_MIN) {
		partition_printf("exception %lu at %lu\n", vector, address);
		partition_panic("exception");
	}
	interrupts++;
	handle(vector);
}

static void install_vectors(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) table = { sizeof(gates) - 1, (uint64_t)gates };

	for (unsigned int vector = 0; vector < VECTORS; vector++) {
		uint64_t address = (uint64_t)&partition_vectors[vector * VECTOR_BYTES];

		gates[vector] = (struct gate){
			.offset_low = (uint16_t)address,
			.segment = CPU_CODE_SEGMENT,
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(address >> 16),
			.offset_high = (uint32_t)(address >> 32),
		};
	}
	asm volatile("lidt %0" : : "m"(table) : "memory");
}

static bool found_vmm(void)
{
	static const char signature[12] = ONECLOCK_HC_SIGNATURE;
	const char *found;
	uint32_t words[4];

	cpu_id(ONECLOCK_HC_CPUID, words);
	found = (const char *)&words[1];
	for (size_t i = 0; i < sizeof(signature); i++) {
		if (found[i] != signature[i])
			return false;
	}
	return true;
}

void partition_begin(void)
{
	install_vectors();
	if (!found_vmm())
		return;
	page.version = ONECLOCK_HC_VERSION;
	page.features = ONECLOCK_HC_FEATURE_PARTITION;
	page.vector = VECTOR_TIMER;
	page.req = ONECLOCK_HC_NO_REQUEST;
	cpu_out32(ONECLOCK_HC_PORT_START, (uint32_t)((uint64_t)&page / ONECLOCK_HC_PAGE_BYTES));
	expect(page.ret, "the VMM has another version");
	if (!(page.features & ONECLOCK_HC_FEATURE_PARTITION))
		partition_panic("the VMM has no partitions");
	partition_main();
	partition_end();
}

void partition_start(uint64_t period, const struct partition_hooks *given)
{
	if (started)
		partition_panic("partition_start() twice");
	started = true;
	if (given)
		hooks = *given;
	ticks = (struct partition_clock){ .since = page.now, .period = period };
	expect(ring(ONECLOCK_HC_OP_PARTITION, VECTOR_WARP, period), "no partition");
	request_next_tick();
	cpu_interrupts_on();
}

void partition_line(unsigned int line, void (*handler)(unsigned int line, uint32_t count))
{
	bool locked = partition_lock();

	handlers[line] = handler;
	expect(ring(ONECLOCK_HC_OP_LINE, line, VECTOR_LINE + line), "no such line");
	partition_unlock(locked);
}

/* Lets time pass up to `to`, or to an interrupt, or, where the slot ends before, to the next slot. */
static void advance(uint64_t to)
{
	if (to < page.free_until && to < page.req) {
		page.now = to;
		return;
	}
	ring(ONECLOCK_HC_OP_ADVANCE, to, 0);
	may_wait = true;
}

void partition_work(uint64_t ns)
{
	bool locked = partition_lock();

	if (!started)
		partition_panic("partition_work() before partition_start()");
	while (ns) {
		uint64_t from = page.now, end = page.warp.slot_end;
		uint64_t to = ns < end - from ? from + ns : end;

		advance(to);
		/* Past the end of the slot it was away. */
		ns -= (page.now < end ? page.now : end) - from;
		if (locked && may_wait)
			take_interrupts();
	}
	partition_unlock(locked);
}

void partition_wait(void)
{
	cpu_interrupts_on_and_halt();
	cpu_interrupts_off();
	take_interrupts();
	cpu_interrupts_on();
}

void partition_delay(uint64_t count)
{
	uint64_t until = ticks.ticks + count;

	while (ticks.ticks < until)
		partition_wait();
}

void partition_timer_set(struct partition_timer *timer, uint64_t count,
			 void (*fire)(struct partition_timer *timer))
{
	bool locked = partition_lock();

	timer->at = ticks.ticks + (count ? count : 1);
	timer->fire = fire;
	partition_timers_add(&timers, timer);
	partition_unlock(locked);
}

bool partition_timer_cancel(struct partition_timer *timer)
{
	bool locked = partition_lock();
	bool found = partition_timers_remove(&timers, timer);

	partition_unlock(locked);
	return found;
}

void partition_deadline_set(struct partition_deadline *deadline, uint64_t number, uint64_t at)
{
	bool locked = partition_lock();

	deadline->number = number;
	deadline->at = at;
	deadline->missed = false;
	partition_deadlines_add(&deadlines, deadline);
	partition_unlock(locked);
}

bool partition_deadline_met(struct partition_deadline *deadline)
{
	bool locked = partition_lock();

	/* One that has passed since the clock was looked at is told now. */
	report_deadlines();
	partition_deadlines_remove(&deadlines, deadline);
	partition_unlock(locked);
	return !deadline->missed;
}
