#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the ARM kernel and vtgpio for it, and runs the module's selftests in QEMU.
#
#   test.sh [--cycles N] [--only WORD] [MACHINE...]     default: virt bpim2u
#
#   virt     QEMU's own machine, two processors; its power button is a GPIO line
#   bpim2u   the Banana Pi M2 Ultra, two of its four processors as on the Banana Pi
#            M1; QEMU has its chips, but no levels on its lines
#
# Each machine starts twice: with GPIO lines that are joined by a cable inside the
# kernel (kmod/selftests), and with vtgpio described by the device tree (selftests/).
# --cycles says how often the module is loaded and unloaded (default 30), --only
# leaves out the tests with the cable that have not this word in their names.
# Prints the tests' TAP, and last how many starts passed and failed.
# Exit status: 0 fine, 1 a test failed, 2 wrong usage, 4 something is missing here.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly kmod=$here/../../kmod
readonly cross=${CROSS_COMPILE:-arm-linux-gnueabihf-}
readonly LIMIT_S=${ONECLOCK_ARM_LIMIT_S:-900}
cycles=30
only=''
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf 'arm: %s\n' "$*" >&2; }

fail() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

build() {
	kernel=$("$here/kernel.sh" build)
	ARCH=arm CROSS_COMPILE="$cross" VTGPIO_SELFTESTS=m "$kmod/build.sh" "$kernel/arm-vt"

	local root=$work/root
	local -a compile=("${cross}gcc" -O2 -Wall -Wextra -Werror -static -pthread "-I$kmod/selftests")
	mkdir -p "$root"/{proc,sys,dev}
	"${compile[@]}" -o "$root/init" "$here/selftests/init.c"
	"${compile[@]}" -o "$root/devicetree_test" "$here/selftests/devicetree_test.c" "$kmod/selftests/support.c"
	"${compile[@]}" -o "$root/vtgpio_test" "$kmod"/selftests/{vtgpio_test,clock_test,support}.c
	cp "$kmod/build/arm-vt/vtgpio.ko" "$kmod/build/arm-vt/selftests/vtgpio_wire.ko" "$root/"
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs.gz"
}

# What stands for the machine on QEMU's command line and the kernel's.
machine_options() {
	case $1 in
	virt) options=(-M virt -cpu cortex-a15 -smp 2 -m 512) parameters='console=ttyAMA0' ;;
	bpim2u) options=(-M bpim2u) parameters='console=ttyS0 maxcpus=2' ;;
	esac
}

# The machine's device tree, with the text of files behind it.
device_tree() {
	local machine=$1 plain=$kernel/dtbs/sun8i-r40-bananapi-m2-ultra.dtb dtc=$kernel/arm-vt/scripts/dtc/dtc
	shift
	if [[ $machine == virt ]]; then
		plain=$work/plain.dtb
		"$qemu" "${options[@]}" -M "virt,dumpdtb=$plain" -display none 2>"$work/qemu.log" || {
			cat "$work/qemu.log" >&2
			return 1
		}
	fi
	# Compiled anew in any case: what QEMU writes is more zeros than the kernel has room for.
	{ "$dtc" -q -I dtb -O dts "$plain" && cat "$@" /dev/null; } | "$dtc" -q -I dts -O dtb -o "$work/machine.dtb" -
}

# Does for the guest what it asks for: "# button" presses the power button, "status N" is its end.
attend() {
	local line
	while IFS= read -r line; do
		line=${line%$'\r'}
		printf '%s\n' "$line"
		case $line in
		'# button') echo system_powerdown >&6 ;;
		'status '*) echo quit >&6 ;;
		esac
	done
}

# Starts the machine, to run a program. What the kernel does not know, such as
# ONLY=, is the program's environment.
start() {
	rm -f "$work"/monitor.*
	mkfifo "$work/monitor.in" "$work/monitor.out"
	# Open here as well, so that a QEMU that has ended holds nobody up.
	exec 6<>"$work/monitor.in"
	timeout "$LIMIT_S" "$qemu" "${options[@]}" -display none -nic none -no-reboot \
		-serial stdio -monitor "pipe:$work/monitor" -kernel "$kernel/zImage" -dtb "$work/machine.dtb" \
		-initrd "$work/initramfs.gz" -append "$parameters panic=-1 quiet ${only:+ONLY=$only} -- $*" \
		</dev/null 2>"$work/qemu.log" | attend | tee "$work/log" || true
	exec 6>&-
	grep -q -x 'status 0' "$work/log" && return
	cat "$work/qemu.log" >&2
	grep -q '^status ' "$work/log" || say "the machine did not come to its end"
	return 1
}

count() {
	local name=$1
	shift
	say "$name: starting"
	if "$@"; then
		passed=$((passed + 1))
		say "$name: passed"
	else
		failed=$((failed + 1))
		say "$name: failed"
	fi
}

test_machine() {
	local machine=$1 button=''
	local -a options
	qemu=$("$here/qemu.sh" "$machine")
	machine_options "$machine"
	[[ $machine != virt ]] || button=button
	device_tree "$machine"
	count "$machine, lines joined by a cable" start /vtgpio_test /vtgpio.ko /vtgpio_wire.ko "$cycles"
	device_tree "$machine" "$here/selftests/$machine.dts"
	count "$machine, device tree" start /devicetree_test /vtgpio.ko $button
}

main() {
	local machine passed=0 failed=0 qemu kernel parameters
	local -a machines=()
	while [[ $# -gt 0 ]]; do
		case $1 in
		--cycles)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail 2 "--cycles wants a number"
			cycles=$2
			shift
			;;
		--only)
			[[ ${2:-} =~ ^[a-z]+$ ]] || fail 2 "--only wants a word"
			only=$2
			shift
			;;
		virt | bpim2u) machines+=("$1") ;;
		*)
			sed -n '4,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
			exit 2
			;;
		esac
		shift
	done
	[[ ${#machines[@]} -gt 0 ]] || machines=(virt bpim2u)

	local tool
	for tool in cpio gzip "${cross}gcc" qemu-system-arm; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
	build
	for machine in "${machines[@]}"; do test_machine "$machine"; done
	echo "$passed passed, $failed failed"
	[[ $failed == 0 ]]
}

main "$@"
