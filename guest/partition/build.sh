#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   build.sh OUT SOURCE...    compiles a partition's program, with the library, to the ELF file OUT
#
# CC is the compiler, gcc where nothing is said.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 OUT SOURCE..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
out=$1
shift
# No red zone and no vector registers: interrupts come on the program's own stack, and save neither.
exec "${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror \
	-m64 -ffreestanding -nostdlib -static -fno-pic -no-pie -mcmodel=small \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-I"$here" -Wl,-T,"$here/partition.ld" -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	-o "$out" "$here"/entry.S "$here"/partition.c "$here"/clock.c "$here"/queue.c "$here"/print.c "$here"/memory.c "$@"
