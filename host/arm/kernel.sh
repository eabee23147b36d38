#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the ARM kernel of boards, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Where the source comes from, and check_config.
source "$here/../patched-source.sh"

# Part of the cache key: raise it when a change below changes the result.
readonly ARM_RECIPE=1
readonly CROSS=${CROSS_COMPILE:-arm-linux-gnueabihf-}
readonly fragments=("$here/board.config" "$all_patches/vt/vt.config")
readonly results=$(dirname "$cache")/arm

usage() {
	cat <<-'TEXT'
	usage: kernel.sh build|path|key

	  build  build the kernel unless that has been done, and print its folder as
	         the last line; progress goes to the standard error
	  path   print that folder, or exit with 1 if nothing is built yet
	  key    print the cache key

	Linux 6.12 with kernel-patches/vt for 32-bit ARM: Allwinner boards, and QEMU's
	machine virt. The folder holds zImage, the device trees of the boards (dtbs/),
	config, System.map, and arm-vt/, the tree for modules:
	make -C FOLDER/arm-vt ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- M=$PWD modules

	  KERNEL_SRC      a Linux 6.12 source tree or tarball to take in place of
	                  Debian's linux-source-6.12
	  CROSS_COMPILE   the tools' prefix; default: arm-linux-gnueabihf-
	  ONECLOCK_CACHE  where results are kept, in a folder arm/KEY for each;
	                  default: ${XDG_CACHE_HOME:-$HOME/.cache}/oneclock

	Exit status: 0 fine, 1 not built or the build failed, 2 wrong usage,
	4 this machine lacks something.
	TEXT
}

arm_key() {
	local id
	id=$(source_id) || return
	[[ -n $id ]] || return 1
	{
		echo "recipe $ARM_RECIPE"
		echo "$id"
		files_of_series vt | xargs cat
		cat "${fragments[@]}"
		"${CROSS}gcc" --version | head -n 1
		"${CROSS}ld" --version | head -n 1
	} | sha256sum | cut -d ' ' -f 1
}

need_arm_tools() {
	local tool
	for tool in make gcc "${CROSS}gcc" flex bison bc patch xz flock sha256sum; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
}

# Nothing of the caller's shows in the result.
arm_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u KCFLAGS -u CFLAGS -u LDFLAGS -u KBUILD_OUTPUT -u O \
		LC_ALL=C LOCALVERSION= KBUILD_BUILD_USER=oneclock KBUILD_BUILD_HOST=oneclock \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		make -C "$tree" ARCH=arm CROSS_COMPILE="$CROSS" "$@"
}

configure_arm() {
	local fragment
	arm_make -s sunxi_defconfig
	(cd "$tree" && scripts/kconfig/merge_config.sh -m .config "${fragments[@]}") >/dev/null
	arm_make -s olddefconfig
	for fragment in "${fragments[@]}"; do check_config "$fragment" "$tree/.config"; done
	# Who has the kernel's image has all of it.
	! grep '=m$' "$tree/.config" >&2 || fail 1 "these drivers would be modules, which nobody installs"
}

compile_arm() {
	arm_make -j"$(nproc)" zImage modules dtbs 2>&1 | tee "$work/build.log" |
		awk '/^  (CC|AS|HOSTCC) / { if (++n % 250 == 0) { print "kernel: " n " files compiled"; fflush() } }' >&2 || {
		cp "$work/build.log" "$results/failed.log"
		tail -n 30 "$work/build.log" >&2
		fail 1 "the build failed; all of its output is in $results/failed.log"
	}
}

# Keeps of the tree what building a module reads, and the device-tree compiler.
prune_arm_tree() {
	(
		cd "$tree"
		find . -mindepth 1 -maxdepth 1 ! -name Makefile ! -name .config ! -name Module.symvers \
			! -name scripts ! -name include ! -name arch -exec rm -rf {} +
		find arch -mindepth 1 -maxdepth 1 ! -name arm -exec rm -rf {} +
		find arch/arm -mindepth 1 -maxdepth 1 ! -name include ! -name 'Makefile*' -exec rm -rf {} +
		find . \( -name '*.cmd' -o -name '*.o' \) -delete
	)
}

build_arm() {
	need_arm_tools
	mkdir -p "$results"
	# Held until this script ends, so that there is one build at a time.
	exec 8>"$results/lock"
	flock -n 8 || { say "ARM: waiting for another build"; flock 8; }
	fetch_source_once

	local key folder start=$SECONDS
	key=$(arm_key)
	folder=$results/$key
	if [[ -f $folder/zImage ]]; then
		echo "$folder"
		return
	fi

	# What an earlier build that was killed has left: nobody else has the lock.
	rm -rf "$results"/tmp.*
	work=$(mktemp -d "$results/tmp.XXXXXX")
	tree=$work/arm-vt
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "ARM: unpacking and patching the source"
	patched_source "$tree" vt
	say "ARM: configuring"
	configure_arm
	say "ARM: compiling, on $(nproc) cores"
	compile_arm

	cp "$tree/arch/arm/boot/zImage" "$tree/System.map" "$work/"
	cp "$tree/.config" "$work/config"
	mkdir "$work/dtbs"
	cp "$tree"/arch/arm/boot/dts/allwinner/*.dtb "$work/dtbs/"
	prune_arm_tree
	chmod 755 "$work"
	rm -rf "$folder"
	mv "$work" "$folder"
	say "ARM: built in $((SECONDS - start)) s"
	echo "$folder"
}

main_arm() {
	local key
	case ${1:-} in
	build) build_arm ;;
	path)
		key=$(arm_key) && [[ -f $results/$key/zImage ]] || fail 1 "not built yet; run: host/arm/kernel.sh build"
		echo "$results/$key"
		;;
	key) arm_key || fail 1 "no kernel source is known yet" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main_arm "$@"
