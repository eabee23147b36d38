#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a kernel and runs the tests of virtual time in it. See --help.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=um
kernel=
out=
bench=
timeout=900

usage() {
	cat <<-'TEXT'
	usage: test.sh [-a um|x86|arm] [-o DIR] [-k KERNEL] [-t SECONDS] [-b] [TREE]

	Builds TREE, a Linux 6.12 with the series applied and otherwise clean, and
	runs the tests in it: for um as a process, for x86 and arm in QEMU's
	software emulation. The last line is "N passed, N failed, N skipped".

	  -a ARCH    um (the default), x86 or arm
	  -o DIR     where to build; default: a folder that is removed in the end
	  -k KERNEL  take this kernel (linux, bzImage, zImage) and build none; TREE,
	             if given, is what it was built in, or what modules need of it
	  -t SECONDS how long the tests may take; default: 900
	  -b         in place of the tests, print what calls cost a process that
	             is not in virtual time; for x86 in instructions

	VT_TEST_ONLY=NAME runs one test. VT_TEST_LATE_MS=N (default 400) is what a
	slow machine may take for what it should do at once. CROSS_COMPILE is for
	arm; default: arm-linux-gnueabihf-.

	Exit status: 0 all passed, 1 a test failed, 2 wrong usage, 3 the kernel did
	not build or run to its end, 4 this machine lacks something.
	TEXT
}

fail() {
	local status=$1
	shift
	echo "test.sh: $*" >&2
	exit "$status"
}

while getopts 'a:o:k:t:bh-:' option; do
	case $option in
	a) arch=$OPTARG ;;
	o) out=$OPTARG ;;
	k) kernel=$OPTARG ;;
	t) timeout=$OPTARG ;;
	b) bench=1 ;;
	h) usage && exit 0 ;;
	-) [[ $OPTARG == help ]] && usage && exit 0; usage >&2; exit 2 ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
tree=${1:-}
[[ -n $kernel || -f $tree/Kconfig ]] || fail 2 "give a kernel tree, or -k KERNEL; see --help"

cross=
case $arch in
um) karch=um target=linux image=linux needs='' ;;
x86) karch=x86_64 target=bzImage image=arch/x86/boot/bzImage needs=qemu-system-x86_64 ;;
arm) karch=arm target=zImage image=arch/arm/boot/zImage needs=qemu-system-arm
	cross=${CROSS_COMPILE:-arm-linux-gnueabihf-} ;;
*) fail 2 "unknown architecture '$arch'" ;;
esac
for tool in gcc make cpio gzip $needs ${cross:+${cross}gcc}; do
	command -v "$tool" >/dev/null || fail 4 "$tool is missing"
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "${out:=$scratch/build}"
out=$(cd "$out" && pwd)
[[ -z $tree ]] || tree=$(cd "$tree" && pwd)

# With -k the tree is a built one: it is left as it is.
config=$out/.config
place=(O="$out")
if [[ -n $kernel && -n $tree ]]; then
	config=$tree/.config
	place=()
fi
kmake() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u KBUILD_OUTPUT \
		make -C "$tree" ARCH="$karch" "${place[@]}" ${cross:+CROSS_COMPILE="$cross"} "$@"
}

if [[ -z $kernel ]]; then
	kmake -s tinyconfig
	(cd "$out" && "$tree/scripts/kconfig/merge_config.sh" -m .config \
		"$here"/tests/{common,"$arch"}.config "$here/vt.config") >/dev/null
	kmake -s olddefconfig
	grep -q '^CONFIG_VIRTUAL_TIME=y' "$out/.config" || fail 3 'CONFIG_VIRTUAL_TIME cannot be had in this tree'
	kmake -j"$(nproc)" "$target" modules_prepare >"$out/build.log" 2>&1 ||
		{ tail -n 30 "$out/build.log" >&2; fail 3 'the kernel does not build'; }
	kernel=$out/$image
fi

program=vt_test
[[ -z $bench ]] || program=vt_bench
mkdir -p "$scratch"/root/{dev,proc,sys,tmp}
"${cross}gcc" -O2 -Wall -static -o "$scratch/root/init" "$here/tests/$program.c" -lpthread -lrt 2>"$scratch/gcc.log" ||
	{ cat "$scratch/gcc.log" >&2; fail 3 'the tests do not build'; }
if [[ -n $tree && -z $bench ]] && grep -q '^CONFIG_MODULE_UNLOAD=y' "$config"; then
	cp -r "$here/tests/module" "$scratch/module"
	kmake -s KBUILD_MODPOST_WARN=1 M="$scratch/module" modules >"$scratch/module.log" 2>&1 ||
		{ cat "$scratch/module.log" >&2; fail 3 'the test module does not build'; }
	cp "$scratch/module/vt_test_module.ko" "$scratch/root/"
fi
mknod "$scratch/root/dev/console" c 5 1 2>/dev/null || fail 4 'run as root: the initramfs needs a device node'
(cd "$scratch/root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$scratch/init.gz"

args=(panic=-1)
[[ -z ${VT_TEST_ONLY:-} ]] || args+=("VT_TEST_ONLY=$VT_TEST_ONLY")
[[ -z ${VT_TEST_LATE_MS:-} ]] || args+=("VT_TEST_LATE_MS=$VT_TEST_LATE_MS")
count=()
smp=2
if [[ -n $bench ]]; then
	# One instruction takes one nanosecond.
	count=(-icount 'shift=0,sleep=off')
	smp=1
fi
case $arch in
um)
	run=("$kernel" mem=64M "initrd=$scratch/init.gz" con0=fd:0,fd:1 con=null quiet "${args[@]}")
	;;
x86)
	run=(qemu-system-x86_64 -accel tcg -cpu max -smp "$smp" -m 256 -nodefaults -no-reboot
		-display none -serial stdio "${count[@]}" -kernel "$kernel" -initrd "$scratch/init.gz"
		-append "console=ttyS0 quiet tsc=reliable clocksource=tsc ${args[*]}")
	;;
arm)
	run=(qemu-system-arm -accel tcg -M virt -cpu cortex-a15 -smp "$smp" -m 256 -nodefaults -no-reboot
		-display none -serial stdio "${count[@]}" -kernel "$kernel" -initrd "$scratch/init.gz"
		-append "console=ttyAMA0 quiet ${args[*]}")
	;;
esac
timeout "$timeout" "${run[@]}" </dev/null 2>&1 | tr -d '\r' | tee "$scratch/log" || true

if [[ -n $bench ]]; then
	grep -q '^bench fork' "$scratch/log" || fail 3 'the kernel did not run to its end'
	exit 0
fi
totals=$(sed -n 's/^# Totals: pass:\([0-9]*\) fail:\([0-9]*\) .* skip:\([0-9]*\) .*/\1 passed, \2 failed, \3 skipped/p' "$scratch/log")
[[ -n $totals ]] || fail 3 'the kernel did not run to its end'
echo "$totals"
[[ $totals == *' 0 failed'* ]]
