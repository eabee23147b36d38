#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the ARM kernel of boards, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../kernel-build.sh"

kind=arm
label=ARM
recipe=1
series=vt
defconfig=sunxi_defconfig
fragments=("$here/board.config" "$all_patches/vt/vt.config")
targets=(zImage modules dtbs)
cross=${CROSS_COMPILE:-arm-linux-gnueabihf-}
options=(ARCH=arm CROSS_COMPILE="$cross")
product=zImage
tree_name=arm-vt
advice='host/arm/kernel.sh build'

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

need_tools() {
	local tool
	for tool in make gcc "${cross}gcc" flex bison bc patch xz flock sha256sum; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
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

collect() {
	cp "$tree/arch/arm/boot/zImage" "$work/"
	mkdir "$work/dtbs"
	cp "$tree"/arch/arm/boot/dts/allwinner/*.dtb "$work/dtbs/"
	prune_arm_tree
}

build_main "$@"
