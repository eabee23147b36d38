/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a KVM guest and the virtual machine monitor (VMM) say to each other. For kernel C,
 * bare-metal C and user-space C and C++. constants.ts has the same numbers; a unit test compiles
 * this file and compares the two.
 *
 * Guests are 64-bit and have one CPU. Times are nanoseconds of virtual time since the run began, 0
 * to 2^63-1, except where the time of day is named. Numbers are little-endian.
 *
 * How time goes, in the words of the time-travel protocol of User-Mode Linux
 * (include/uapi/linux/um_timetravel.h):
 *
 *	START		outl(page frame number, ONECLOCK_HC_PORT_START), once
 *	REQUEST		the guest stores `req`; there is no exit, the VMM reads it at the next one
 *	WAIT		HLT with interrupts on
 *	RUN		the VMM stores `now`, and raises the interrupt of `req` if now >= req
 *	FREE_UNTIL	the VMM stores `free_until`; below it the guest moves `now` by itself
 *	UPDATE		implied by every exit that touches somebody else; or ONECLOCK_HC_OP_UPDATE
 *	GET		the guest reads `now`; ONECLOCK_HC_OP_GET is the same by an exit
 *	GET_TOD		the guest reads `tod` + `now`; ONECLOCK_HC_OP_GET_TOD is the same by an exit
 *
 * A guest that reads its clock at a time that it may not reach by itself rings
 * ONECLOCK_HC_OP_ADVANCE.
 *
 * HLT with interrupts off ends the guest, as a triple fault does. So does whatever the text below
 * does not allow: an operation that is not listed, a frame or an address outside memory, `now` that
 * goes back or reaches `free_until`.
 */
#ifndef ONECLOCK_HYPERCALL_H
#define ONECLOCK_HYPERCALL_H

#if defined(__KERNEL__) || (defined(__linux__) && __STDC_HOSTED__)
#include <linux/types.h>
#else
typedef __UINT8_TYPE__ __u8;
typedef __UINT32_TYPE__ __u32;
typedef __UINT64_TYPE__ __u64;
typedef __INT64_TYPE__ __s64;
#endif

/* The version of all this. */
#define ONECLOCK_HC_VERSION 1

/*
 * CPUID: EBX, ECX and EDX of this leaf hold the signature, 12 bytes padded with zeroes. The
 * hypervisor's leaves begin here (Documentation/virt/kvm/x86/cpuid.rst). A guest touches the ports
 * only where it has found the signature.
 */
#define ONECLOCK_HC_CPUID 0x40000000
#define ONECLOCK_HC_SIGNATURE "oneclock"

/*
 * Ports, 32 bits wide, to be written only. 0x6c0 to 0x6cf belong to no device: they are above those
 * of ISA, alias none of them in 10 bits (0x2c0 to 0x2cf are not assigned), and are clear of what
 * machines and their emulators have nearby: ELCR 0x4d0, pvpanic 0x505, fw_cfg 0x510, ACPI 0x600 to
 * 0x63f, SMBus 0x700, PCI 0xcf8.
 */
#define ONECLOCK_HC_PORT_START 0x6c0	/* START: the page frame number of the page */
#define ONECLOCK_HC_PORT_BELL 0x6c4	/* an operation; arguments and result are in the page */

/*
 * The same by VMCALL or VMMCALL, from ring 0, where ONECLOCK_HC_FEATURE_HYPERCALL is set: RAX this
 * number, RBX the operation, RCX, RDX and RSI its arguments; the result is in RAX. The page's `arg`
 * and `ret` are not used.
 *
 * KVM has 1 to 12 in Linux 6.12 and goes upward. Which numbers may go to user space is a mask that
 * KVM_CHECK_EXTENSION(KVM_CAP_EXIT_HYPERCALL) returns as an int: bit 30 is the last that does not
 * make it negative. A host without our patch answers -1000 (KVM_ENOSYS).
 */
#define ONECLOCK_HC_NUMBER 30

/* Bits of `features`. */
#define ONECLOCK_HC_FEATURE_HYPERCALL 0x1	/* the hypercall reaches the VMM */
#define ONECLOCK_HC_FEATURE_WRITE_UPDATE 0x2	/* REGISTER and CHANGED */
#define ONECLOCK_HC_FEATURE_ORDERED 0x4		/* see CHANGED */
#define ONECLOCK_HC_FEATURE_PARTITION 0x8	/* PARTITION, LINE, WARPED and MISSED */
/*
 * Time goes by itself, as that of a board does: it is real time since the run began, less that for
 * which the guest was frozen. The page's `now` is as of the last exit, and only the VMM writes it;
 * GET says what time it is. UPDATE tells of a new `req`, which nobody reads before the next exit.
 * The result of ADVANCE comes at once, be arg[0] in the past or still to come. A VMM that offers
 * this ends a guest that does not ask for it.
 */
#define ONECLOCK_HC_FEATURE_REAL 0x10

/*
 * Operations, all from the guest to the VMM. The result is 0 where nothing else is said, or an
 * error below zero. 1, 4, 5 and 8 mean what they mean in um_timetravel.h; 1, 2, 3, 6 and 7 are not
 * rung.
 */

/* The result is `now`. Has no effect: what an exit costs at least. */
#define ONECLOCK_HC_OP_GET 4

/* Others in the run are to see the guest at `now` before it goes on. */
#define ONECLOCK_HC_OP_UPDATE 5

/* The result is the time of day, `tod` + `now`. */
#define ONECLOCK_HC_OP_GET_TOD 8

/*
 * arg[0]: an instant, in ns, not before `now`. Time passes until then, or until an interrupt is
 * due, whichever is earlier; the result is the new `now`. If that is before arg[0], the guest takes
 * its interrupts and rings again.
 */
#define ONECLOCK_HC_OP_ADVANCE 16

/*
 * The guest shares a variable with all who register the same one. arg[0]: its guest-physical
 * address; arg[1]: its size in bytes, 1 to 8, the same for all; arg[2]: its name, a number from 1
 * to ONECLOCK_HC_VARIABLE_MAX. It lies within an aligned word of 8 bytes, and not in the page. If
 * others have set it, it gets that value; else it keeps its own. The VMM stores into it at any time
 * from now on, also while the guest runs, in one atomic access.
 */
#define ONECLOCK_HC_OP_REGISTER 17

/*
 * A registered variable changes. arg[0]: its name; arg[1]: its new value, which fits its size;
 * arg[2]: by how many ticks, for the trace. Where ONECLOCK_HC_FEATURE_ORDERED is set, the guest
 * leaves the store to the VMM, which may come after the result; else it has stored the value
 * itself.
 */
#define ONECLOCK_HC_OP_CHANGED 18

/*
 * The guest is a partition and takes warps; see struct oneclock_hc_warp. arg[0]: the vector of the
 * interrupt; arg[1]: the period of its tick in ns, above 0. Ticks are at `now` + period, `now` + 2
 * periods and so on. Once. The VMM fills in the warp with sequence 0, `left` and `entered` at `now`,
 * the end of the present slot, and zero elsewhere.
 */
#define ONECLOCK_HC_OP_PARTITION 24

/*
 * The guest takes a line, or takes it by another vector. arg[0]: the line, below ONECLOCK_HC_LINES;
 * arg[1]: the vector. After PARTITION. A line that nothing raises is none the less a line.
 */
#define ONECLOCK_HC_OP_LINE 25

/*
 * The guest has applied a warp. arg[0]: its sequence, that of a warp that it was told. The result is
 * the sequence of the warp in the page; where that is another, nothing is acknowledged: the guest was
 * away meanwhile, and what it has applied is in the present warp too.
 */
#define ONECLOCK_HC_OP_WARPED 26

/*
 * A deadline has passed, for the trace. arg[0]: a number of the guest's choice; arg[1]: the
 * deadline, not past `now`.
 */
#define ONECLOCK_HC_OP_MISSED 27

/*
 * The guest ends, at `now`. arg[0]: 0 power off, 1 reboot, 2 panic or halt. There is no result.
 */
#define ONECLOCK_HC_OP_END 32
#define ONECLOCK_HC_END_OFF 0
#define ONECLOCK_HC_END_REBOOT 1
#define ONECLOCK_HC_END_PANIC 2

/*
 * Errors, as results below zero: -64 and so on, clear of KVM's own (-1, -7, -14, -22, -95, -1000).
 */
#define ONECLOCK_HC_E_VERSION 64	/* START: `version` holds that of the VMM */
#define ONECLOCK_HC_E_FEATURE 65	/* the operation's feature is not set */
#define ONECLOCK_HC_E_FULL 66		/* REGISTER: no room for another variable */

/* Names of variables. */
#define ONECLOCK_HC_VARIABLE_JIFFIES 1	/* jiffies_64 of Linux, 8 bytes */
#define ONECLOCK_HC_VARIABLE_MAX 65535

/* Vectors of interrupts; those below are exceptions. */
#define ONECLOCK_HC_VECTOR_MIN 32
#define ONECLOCK_HC_VECTOR_MAX 255

/* Interrupt lines of a partition: 0, 1 and so on. */
#define ONECLOCK_HC_LINES 32

/* `req` of a guest that requests nothing. */
#define ONECLOCK_HC_NO_REQUEST 0xffffffffffffffffULL

/*
 * What a partition has missed while it was away: its time warp. Written by the VMM at each entry,
 * before the interrupt of ONECLOCK_HC_OP_PARTITION and before any other; it stays as it is until
 * the partition leaves. What no WARPED has acknowledged is in the next one too: `ticks` and
 * `pending` are of all absences since the last that was acknowledged.
 *
 * A slot goes from `entered` up to but not including its end. So each tick is seen once: those at
 * `left` and `entered` and between them are in the warp, those after `entered` and before
 * `slot_end` are the guest's own.
 */
struct oneclock_hc_warp {
	__u64 sequence;		/* 1, 2, 3 and so on; 0: none yet */
	__u64 left;		/* when the first of those absences began; ns */
	__u64 entered;		/* `now` at this entry; ns */
	__u64 slot_end;		/* when it leaves again; ns */
	__u64 ticks;		/* ticks missed */
	/*
	 * Interrupts kept for each line, up to 2^32-1: those at `left` and `entered` and between
	 * them, and those of before that still waited behind another of the same line when the
	 * partition left. They are not raised: the warp is all that tells of them.
	 */
	__u32 pending[ONECLOCK_HC_LINES];
};

/*
 * The page: 4096 bytes of guest memory, aligned to 4096, which START names. "Guest" and "VMM" say
 * who writes. The guest writes only while it runs, the VMM only while the guest is stopped at an
 * exit; so plain accesses will do, 8 bytes each and not torn, as long as the compiler does not move
 * them across an exit or drop them (READ_ONCE, WRITE_ONCE, a "memory" clobber). The VMM's watchdog
 * may read `now` at any time.
 *
 * START: the guest has filled in version, features, vector and req, and zero elsewhere; the VMM
 * answers in `ret`, 0 or -ONECLOCK_HC_E_VERSION, and with 0 fills in the rest. A page that it has
 * taken stays until the guest ends.
 */
#define ONECLOCK_HC_PAGE_BYTES 4096
#define ONECLOCK_HC_ARGS 3

struct oneclock_hc_page {
	/* VMM, and the guest while it runs: the time, in ns. Never goes back. */
	__u64 now;
	/* VMM: the guest may move `now` to instants before this one, in ns. 0: to none. */
	__u64 free_until;
	/*
	 * Guest: when it wants its timer interrupt, in ns, or ONECLOCK_HC_NO_REQUEST; one in the
	 * past is due at once. The VMM sets it to ONECLOCK_HC_NO_REQUEST as it raises the
	 * interrupt.
	 */
	__u64 req;
	/* VMM, at START: the time of day at now = 0, in ns since 1970-01-01T00:00:00Z. */
	__u64 tod;
	/* Guest: arguments of the operation that it is about to ring. */
	__u64 arg[ONECLOCK_HC_ARGS];
	/* VMM: the result of the last START or operation that was rung. */
	__s64 ret;
	/* Guest, before START: its ONECLOCK_HC_VERSION. VMM: its own. */
	__u32 version;
	/* Guest, before START: the features that it can use. VMM: those of them that it has. */
	__u32 features;
	/* Guest, before START: the vector of the timer interrupt. 0: line 0 of the 8259. */
	__u32 vector;
	__u32 reserved;
	__u8 reserved2[48];
	/* VMM; see above. */
	struct oneclock_hc_warp warp;
	__u8 reserved3[3800];
};

#endif
