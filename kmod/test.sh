#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds vtgpio and runs its selftests in machines of its own.
#
#   test.sh [--bench] [--cycles N] [KIND...]     default: 6.1 6.12 uml
#
#   6.1, 6.12   Debian's kernel in QEMU, emulated, with two processors
#   uml         the project's guest kernel, in real time
#
# --bench measures instead; --cycles says how often the module is loaded and
# unloaded in the last test (default 1000; 30 takes some seconds).
# Prints the tests' TAP, and last how many passed and failed.
# Exit status: 0 fine, 1 a test failed, 2 wrong usage, 4 something is missing here.

set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/build.sh"

readonly LIMIT_S=${ONECLOCK_KMOD_LIMIT_S:-1800}
cycles=1000
bench=no
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Kernel and initramfs are all that a machine gets.
image() {
	local version=$1 release
	release=$(release_of "$version")
	local folder=$cache/image-$release
	if [[ ! -f $folder/boot/vmlinuz-$release ]]; then
		unpack "$folder" "linux-image-$release"
		# Nothing of it is loaded but the kernel itself.
		rm -rf "$folder/lib" "$folder/usr"
	fi
	echo "$folder/boot/vmlinuz-$release"
}

programs() {
	local cc=("${CC:-gcc}" -O2 -Wall -Wextra -Werror -static -pthread)
	(
		cd "$here/selftests"
		"${cc[@]}" -o "$work/vtgpio_test" vtgpio_test.c clock_test.c support.c
		"${cc[@]}" -o "$work/vtgpio_bench" vtgpio_bench.c support.c
	)
}

initramfs() {
	local kind=$1 root=$work/root program
	rm -rf "$root"
	mkdir -p "$root"/{bin,proc,sys,dev}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$here/build/$kind/vtgpio.ko" "$here/build/$kind/selftests/vtgpio_wire.ko" "$root/"
	cp "$work/vtgpio_test" "$work/vtgpio_bench" "$root/"
	program="/vtgpio_test /vtgpio.ko /vtgpio_wire.ko $cycles"
	[[ $bench == no ]] || program='/vtgpio_bench /vtgpio.ko /vtgpio_wire.ko 100'
	cat >"$root/init" <<-EOF
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		echo 1 > /proc/sys/kernel/printk
		$program
		status=\$?
		if dmesg | grep -E 'BUG|WARNING|Oops|Call Trace|stall|hung task'; then
			echo 'not ok - the kernel complains'
			status=1
		fi
		echo "status \$status"
		poweroff -f
	EOF
	chmod +x "$root/init"
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs.gz"
}

boot() {
	local kind=$1
	case $kind in
	uml)
		timeout "$LIMIT_S" "$("$here/../host/uml/kernel.sh" path)/linux" mem=256M \
			initrd="$work/initramfs.gz" con0=fd:0,fd:1 con=null quiet </dev/null
		;;
	*)
		timeout "$LIMIT_S" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 512 \
			-nographic -no-reboot -nic none -kernel "$(image "$kind")" \
			-initrd "$work/initramfs.gz" -append 'console=ttyS0 panic=-1 quiet no_timer_check' </dev/null
		;;
	esac
}

run() {
	local kind=$1 status=0
	build "$kind"
	initramfs "$kind"
	say "$kind: starting"
	boot "$kind" 2>&1 | stdbuf -oL tr -d '\r' | tee "$work/log" || true
	grep -q -x 'status 0' "$work/log" || status=1
	if ! grep -q '^status ' "$work/log"; then
		say "$kind: the machine did not come to its end"
	fi
	return $status
}

main_test() {
	local kind passed=0 failed=0
	local -a kinds=()
	while [[ $# -gt 0 ]]; do
		case $1 in
		--bench) bench=yes ;;
		--cycles)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail 2 "--cycles wants a number"
			cycles=$2
			shift
			;;
		6.1 | 6.12 | uml) kinds+=("$1") ;;
		*)
			sed -n '3,15s/^# \{0,1\}//p' "$here/test.sh" >&2
			exit 2
			;;
		esac
		shift
	done
	[[ ${#kinds[@]} -gt 0 ]] || kinds=(6.1 6.12 uml)

	local tool
	for tool in busybox cpio qemu-system-x86_64 gcc make; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
	programs
	for kind in "${kinds[@]}"; do
		if run "$kind"; then
			passed=$((passed + 1))
			say "$kind: passed"
		else
			failed=$((failed + 1))
			say "$kind: failed"
		fi
	done
	echo "$passed passed, $failed failed"
	[[ $failed == 0 ]]
}

main_test "$@"
