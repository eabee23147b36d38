#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the kernel of KVM guests, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../kernel-build.sh"

kind=kvm
label=KVM
recipe=1
series=kvm/guest
defconfig=tinyconfig
fragments=("$repo/guest/kernel/kvm.config")
# Guest and host have one header, which is not in the series.
inputs=("$repo/protocols/hypercall/hypercall.h")
targets=(vmlinux bzImage)
options=(ARCH=x86_64)
product=vmlinux
advice="$repo/host/kvm/kernel.sh build"

usage() {
	cat <<-'TEXT'
	usage: kernel.sh build|path|key

	  build  build the kernel unless that has been done, and print its folder as
	         the last line; progress goes to the standard error
	  path   print that folder, or exit with 1 if nothing is built yet
	  key    print the cache key

	Linux 6.12 with kernel-patches/kvm/guest for x86-64. The folder holds vmlinux,
	an ELF file with physical addresses, bzImage, config and System.map.

	  KERNEL_SRC      a Linux 6.12 source tree or tarball to take in place of
	                  Debian's linux-source-6.12
	  ONECLOCK_CACHE  where results are kept, in a folder kvm/KEY for each;
	                  default: ${XDG_CACHE_HOME:-$HOME/.cache}/oneclock

	Nothing is ever removed from the cache. To make room, remove kvm/ or any
	folder in it while nothing is being built.

	Exit status: 0 fine, 1 not built or the build failed, 2 wrong usage,
	4 this machine lacks something.
	TEXT
}

prepare() {
	cp "${inputs[0]}" "$tree/include/linux/oneclock_hypercall.h"
}

collect() {
	strip -o "$work/vmlinux" "$tree/vmlinux"
	cp "$tree/arch/x86/boot/bzImage" "$work/"
	rm -rf "$tree"
}

build_main "$@"
