#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the kernel of nested machines, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../kernel-build.sh"

kind=nested
label=nested
recipe=1
series=kvm/host
defconfig=tinyconfig
fragments=("$here/nested.config")
targets=(vmlinux)
options=(ARCH=x86_64)
product=vmlinux
tree_name=tree
advice='host/kvm/nested/kernel.sh build'

usage() {
	cat <<-'TEXT'
	usage: kernel.sh build|path|key

	  build  build the kernel unless that has been done, and print its folder as
	         the last line; progress goes to the standard error
	  path   print that folder, or exit with 1 if nothing is built yet
	  key    print the cache key

	Linux 6.12 with kernel-patches/kvm/host: KVM for AMD processors, on which a
	hypercall reaches user space. The folder holds vmlinux, config and System.map.

	  KERNEL_SRC      a Linux 6.12 source tree or tarball to take in place of
	                  Debian's linux-source-6.12
	  ONECLOCK_CACHE  where results are kept, in a folder nested/KEY for each;
	                  default: ${XDG_CACHE_HOME:-$HOME/.cache}/oneclock

	Exit status: 0 fine, 1 not built or the build failed, 2 wrong usage,
	4 this machine lacks something.
	TEXT
}

collect() {
	strip -o "$work/vmlinux" "$tree/vmlinux"
	rm -rf "$tree"
}

build_main "$@"
