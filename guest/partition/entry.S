/* SPDX-License-Identifier: MIT */
/*
 * Where the processor comes in: at the beginning, in long mode with the first 4 GiB mapped one to one
 * (host/kvm/src/long_mode.hh), and at every interrupt and exception.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	cld
	lea	partition_stack(%rip), %rsp
	lea	__bss_start(%rip), %rdi
	lea	__bss_end(%rip), %rcx
	sub	%rdi, %rcx
	xor	%eax, %eax
	rep stosb
	call	partition_begin
1:	cli
	hlt
	jmp	1b

/* 256 entries of 16 bytes; those of exceptions that come with an error code leave it on the stack. */
	.text
	.balign	16
	.globl	partition_vectors
partition_vectors:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
	push	$0
	.endif
	push	$vector
	jmp	interrupt
	.set	vector, vector + 1
	.endr

/* The processor has aligned the stack to 16 bytes, and put 5 words there; the entry 2 more. */
interrupt:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	cld
	mov	72(%rsp), %rdi
	mov	88(%rsp), %rsi
	call	partition_interrupt
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.section .bss.stack, "aw", @nobits
	.balign	16
	.skip	65536
partition_stack:

	.section .note.GNU-stack, "", @progbits
