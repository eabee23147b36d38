// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_HC_VMM on this machine's KVM (AMD).
 *
 *   hypercall_test patched|plain
 *
 * With "plain" the number must be unknown, as it is without the patches.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hypercall.h"
#include "tap.h"

#define MEMORY 0x200000
#define PML4 0x1000
#define PDPT 0x2000
#define PAGE_DIRECTORY 0x3000
#define CODE 0x4000
/* Where a guest writes to as it ends. */
#define PORT_END 0x10

#define NR ONECLOCK_HC_NUMBER
#define NR_MAP_GPA_RANGE 12
#define ENOSYS_OF_KVM (-1000)
#define EPERM_OF_KVM (-1)
#define ONES 0x0123456789abcdefULL

/* Segment types, of a descriptor. */
#define CODE_TYPE 11
#define DATA_TYPE 3

enum mode { LONG, COMPATIBILITY, USER };

struct guest {
	int kvm, vm, vcpu;
	__u8 *memory;
	struct kvm_run *run;
	size_t run_size;
};

/* vmmcall; out %al, $PORT_END */
static const __u8 program[] = { 0x0f, 0x01, 0xd9, 0xe6, PORT_END };

static int must(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

static void begin(struct guest *guest)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[100];
	} cpuid = { .head.nent = 100 };

	guest->kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	guest->vm = must(ioctl(guest->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	guest->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guest->memory == MAP_FAILED)
		err(1, "mmap");
	region.userspace_addr = (uintptr_t)guest->memory;
	must(ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	guest->vcpu = must(ioctl(guest->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	/* Long mode is a feature. */
	must(ioctl(guest->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
	must(ioctl(guest->vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
	guest->run_size = must(ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "size");
	guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED, guest->vcpu, 0);
	if (guest->run == MAP_FAILED)
		err(1, "mmap of kvm_run");
}

static void end(struct guest *guest)
{
	munmap(guest->run, guest->run_size);
	close(guest->vcpu);
	close(guest->vm);
	close(guest->kvm);
	munmap(guest->memory, MEMORY);
}

/* What user space may have exit: the result of KVM_ENABLE_CAP, as an errno. */
static int enable(struct guest *guest, __u64 mask)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { mask },
	};

	return ioctl(guest->vm, KVM_ENABLE_CAP, &cap) ? errno : 0;
}

static void segment(struct kvm_segment *to, int type, int selector, enum mode mode)
{
	*to = (struct kvm_segment) {
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = mode == USER ? 3 : 0,
		.s = 1,
		.g = 1,
		.l = type == CODE_TYPE && mode != COMPATIBILITY,
		.db = type != CODE_TYPE || mode == COMPATIBILITY,
	};
	if (mode == USER)
		to->selector |= 3;
}

/* At the program, with 0 to 2 MiB mapped for everybody. */
static void enter(struct guest *guest, enum mode mode, __u64 rax)
{
	struct kvm_regs regs = {
		.rip = CODE,
		.rax = rax,
		.rbx = ONES,
		.rcx = ONES + 1,
		.rdx = ONES + 2,
		.rsi = ONES + 3,
		/* Ports are open to USER too. */
		.rflags = 0x2 | 3 << 12,
	};
	struct kvm_sregs sregs;

	memcpy(guest->memory + CODE, program, sizeof(program));
	*(__u64 *)(guest->memory + PML4) = PDPT | 7;
	*(__u64 *)(guest->memory + PDPT) = PAGE_DIRECTORY | 7;
	*(__u64 *)(guest->memory + PAGE_DIRECTORY) = 0x80 | 7;

	must(ioctl(guest->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	segment(&sregs.cs, CODE_TYPE, 0x8, mode);
	segment(&sregs.ss, DATA_TYPE, 0x10, mode);
	sregs.ds = sregs.ss;
	sregs.es = sregs.ss;
	sregs.cr0 = 0x80000031;
	sregs.cr3 = PML4;
	sregs.cr4 = 0x20;
	sregs.efer = 0x500;
	must(ioctl(guest->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(guest->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static __u32 go_on(struct guest *guest)
{
	must(ioctl(guest->vcpu, KVM_RUN, 0), "KVM_RUN");
	return guest->run->exit_reason;
}

static __u64 rax(struct guest *guest)
{
	struct kvm_regs regs;

	must(ioctl(guest->vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	return regs.rax;
}

/* True if the guest came to its end, with this result. */
static bool ended(struct guest *guest, __u32 reason, __s64 result)
{
	if (reason == KVM_EXIT_IO && rax(guest) == (__u64)result)
		return true;
	tap_note("exit %u, RAX %#llx", reason, (unsigned long long)rax(guest));
	return false;
}

/* True if this exit is the hypercall with all arguments, cut by the mask. */
static bool called(struct guest *guest, __u32 reason, __u64 mask)
{
	const __u64 *args = (const __u64 *)guest->run->hypercall.args;
	int i;

	if (reason != KVM_EXIT_HYPERCALL || guest->run->hypercall.nr != NR) {
		tap_note("exit %u", reason);
		return false;
	}
	for (i = 0; i < 4; i++) {
		if (args[i] == ((ONES + i) & mask))
			continue;
		tap_note("argument %d is %#llx", i, (unsigned long long)args[i]);
		return false;
	}
	/* Of the same place, and older headers do not have `flags`. */
	return guest->run->hypercall.longmode == (mask == ~0ULL);
}

static void test_unknown(__u64 enabled, const char *what)
{
	struct guest guest;
	int error;

	begin(&guest);
	error = enable(&guest, enabled);
	enter(&guest, LONG, NR);
	tap_ok(!error && ended(&guest, go_on(&guest), ENOSYS_OF_KVM), "%s", what);
	end(&guest);
}

static void test_refused(__u64 mask, const char *what)
{
	struct guest guest;

	begin(&guest);
	tap_ok(enable(&guest, mask) == EINVAL, "%s", what);
	enter(&guest, LONG, NR);
	tap_ok(ended(&guest, go_on(&guest), ENOSYS_OF_KVM), "%s, and changes nothing", what);
	end(&guest);
}

static void test_exit(enum mode mode, __u64 number, __u64 mask, const char *what)
{
	struct guest guest;
	bool good;

	begin(&guest);
	good = !enable(&guest, 1 << NR);
	enter(&guest, mode, number);
	good = good && called(&guest, go_on(&guest), mask);
	guest.run->hypercall.ret = ONES;
	good = good && ended(&guest, go_on(&guest), ONES & mask);
	/* Once more: nothing of the first is left. */
	enter(&guest, mode, number);
	good = good && called(&guest, go_on(&guest), mask);
	good = good && ended(&guest, go_on(&guest), 0);
	tap_ok(good, "%s", what);
	end(&guest);
}

static void test_user(void)
{
	struct guest guest;
	int error;

	begin(&guest);
	error = enable(&guest, 1 << NR);
	enter(&guest, USER, NR);
	tap_ok(!error && ended(&guest, go_on(&guest), EPERM_OF_KVM),
	       "a program of the guest does not get through");
	end(&guest);
}

/* The one that was there before still does what it did. */
static void test_other(void)
{
	struct guest guest;
	int error;

	begin(&guest);
	error = enable(&guest, 1 << NR_MAP_GPA_RANGE | 1 << NR);
	enter(&guest, LONG, NR_MAP_GPA_RANGE);
	/* Its first argument has to be a page. */
	tap_ok(!error && ended(&guest, go_on(&guest), -EINVAL),
	       "KVM_HC_MAP_GPA_RANGE checks its arguments");
	end(&guest);
}

int main(int argc, char **argv)
{
	struct guest guest;
	bool patched;
	int mask;

	if (argc != 2 || (strcmp(argv[1], "patched") && strcmp(argv[1], "plain")))
		errx(2, "usage: hypercall_test patched|plain");
	patched = !strcmp(argv[1], "patched");

	begin(&guest);
	mask = ioctl(guest.vm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
	end(&guest);
	tap_ok(mask == (patched ? 1 << NR | 1 << NR_MAP_GPA_RANGE : 1 << NR_MAP_GPA_RANGE),
	       "what can be enabled: %#x", mask);
	test_unknown(0, "unknown where nothing is enabled");
	test_unknown(1 << NR_MAP_GPA_RANGE, "unknown where another is enabled");
	if (patched) {
		test_refused(1ULL << 29 | 1 << NR, "a number that nobody has is refused");
		test_exit(LONG, NR, ~0ULL, "exits, and brings the result back");
		test_exit(COMPATIBILITY, NR, 0xffffffff, "exits outside 64-bit mode");
		test_exit(COMPATIBILITY, 1ULL << 32 | NR, 0xffffffff,
			  "exits whatever is in the high half of RAX");
		test_user();
		test_other();
	} else {
		test_refused(1 << NR, "cannot be enabled");
	}
	return tap_end();
}
