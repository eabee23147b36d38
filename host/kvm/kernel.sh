#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the kernel of KVM guests, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Where the source comes from, and check_config.
source "$here/../patched-source.sh"

# Part of the cache key: raise it when a change below changes the result.
readonly KVM_RECIPE=1
readonly kvm_fragment=$repo/guest/kernel/kvm.config
# Guest and host have one header, which is not in the series.
readonly header=$repo/protocols/hypercall/hypercall.h
readonly results=$(dirname "$cache")/kvm

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

kvm_key() {
	local id
	id=$(source_id) || return
	[[ -n $id ]] || return 1
	{
		echo "recipe $KVM_RECIPE"
		echo "$id"
		files_of_series kvm/guest | xargs cat
		cat "$header" "$kvm_fragment"
		gcc --version | head -n 1
		ld --version | head -n 1
	} | sha256sum | cut -d ' ' -f 1
}

# Nothing of the caller's shows in the result: the same inputs give the same bytes.
kvm_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CROSS_COMPILE -u CC -u KCFLAGS -u CFLAGS \
		-u LDFLAGS -u KBUILD_OUTPUT -u O \
		LC_ALL=C LOCALVERSION= KBUILD_BUILD_USER=oneclock KBUILD_BUILD_HOST=oneclock \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		make -C "$tree" ARCH=x86_64 "$@"
}

configure_kvm() {
	kvm_make -s tinyconfig
	(cd "$tree" && ARCH=x86_64 scripts/kconfig/merge_config.sh -m .config "$kvm_fragment") >/dev/null
	kvm_make -s olddefconfig
	check_config "$kvm_fragment" "$tree/.config"
}

compile_kvm() {
	kvm_make -j"$(nproc)" vmlinux bzImage 2>&1 | tee "$work/build.log" |
		awk '/^  (CC|AS|HOSTCC) / { if (++n % 250 == 0) { print "kernel: " n " files compiled"; fflush() } }' >&2 || {
		cp "$work/build.log" "$results/failed.log"
		tail -n 30 "$work/build.log" >&2
		fail 1 "the build failed; all of its output is in $results/failed.log"
	}
}

build_kvm() {
	need_tools
	mkdir -p "$results"
	# Held until this script ends, so that there is one build at a time.
	exec 8>"$results/lock"
	flock -n 8 || { say "KVM: waiting for another build"; flock 8; }
	fetch_source_once

	local key folder start=$SECONDS
	key=$(kvm_key)
	folder=$results/$key
	if [[ -f $folder/vmlinux ]]; then
		echo "$folder"
		return
	fi

	# What an earlier build that was killed has left: nobody else has the lock.
	rm -rf "$results"/tmp.*
	work=$(mktemp -d "$results/tmp.XXXXXX")
	tree=$work/source
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "KVM: unpacking and patching the source"
	patched_source "$tree" kvm/guest
	cp "$header" "$tree/include/linux/oneclock_hypercall.h"
	say "KVM: configuring"
	configure_kvm
	say "KVM: compiling, on $(nproc) cores"
	compile_kvm

	strip -o "$work/vmlinux" "$tree/vmlinux"
	cp "$tree/arch/x86/boot/bzImage" "$tree/System.map" "$work/"
	cp "$tree/.config" "$work/config"
	rm -rf "$tree"
	chmod 755 "$work"
	rm -rf "$folder"
	mv "$work" "$folder"
	say "KVM: built in $((SECONDS - start)) s"
	echo "$folder"
}

main_kvm() {
	local key
	case ${1:-} in
	build) build_kvm ;;
	path)
		key=$(kvm_key) && [[ -f $results/$key/vmlinux ]] || fail 1 "not built yet; run: $repo/host/kvm/kernel.sh build"
		echo "$results/$key"
		;;
	key) kvm_key || fail 1 "no kernel source is known yet" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main_kvm "$@"
