#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the kernel of nested machines, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Where the source comes from, and check_config.
source "$here/../../patched-source.sh"

# Part of the cache key: raise it when a change below changes the result.
readonly NESTED_RECIPE=1
readonly NESTED_SERIES=kvm/host
readonly nested_config=$here/nested.config
readonly results=$(dirname "$cache")/nested

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

nested_key() {
	local id
	id=$(source_id) || return
	[[ -n $id ]] || return 1
	{
		echo "recipe $NESTED_RECIPE"
		echo "$id"
		files_of_series "$NESTED_SERIES" | xargs cat
		cat "$nested_config"
		gcc --version | head -n 1
		ld --version | head -n 1
	} | sha256sum | cut -d ' ' -f 1
}

# Nothing of the caller's shows in the result.
nested_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CROSS_COMPILE -u CC -u KCFLAGS -u CFLAGS -u LDFLAGS -u KBUILD_OUTPUT -u O \
		LC_ALL=C LOCALVERSION= KBUILD_BUILD_USER=oneclock KBUILD_BUILD_HOST=oneclock \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		make -C "$tree" ARCH=x86_64 "$@"
}

configure_nested() {
	nested_make -s tinyconfig
	(cd "$tree" && scripts/kconfig/merge_config.sh -m .config "$nested_config") >/dev/null
	nested_make -s olddefconfig
	check_config "$nested_config" "$tree/.config"
}

compile_nested() {
	nested_make -j"$(nproc)" vmlinux 2>&1 | tee "$work/build.log" |
		awk '/^  (CC|AS|HOSTCC) / { if (++n % 250 == 0) { print "kernel: " n " files compiled"; fflush() } }' >&2 || {
		cp "$work/build.log" "$results/failed.log"
		tail -n 30 "$work/build.log" >&2
		fail 1 "the build failed; all of its output is in $results/failed.log"
	}
}

build_nested() {
	need_tools
	mkdir -p "$results"
	# Held until this script ends, so that there is one build at a time.
	exec 8>"$results/lock"
	flock -n 8 || { say "nested: waiting for another build"; flock 8; }
	fetch_source_once

	local key folder start=$SECONDS
	key=$(nested_key)
	folder=$results/$key
	if [[ -f $folder/vmlinux ]]; then
		echo "$folder"
		return
	fi

	# What an earlier build that was killed has left: nobody else has the lock.
	rm -rf "$results"/tmp.*
	work=$(mktemp -d "$results/tmp.XXXXXX")
	tree=$work/tree
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "nested: unpacking and patching the source"
	patched_source "$tree" "$NESTED_SERIES"
	say "nested: configuring"
	configure_nested
	say "nested: compiling, on $(nproc) cores"
	compile_nested

	strip -o "$work/vmlinux" "$tree/vmlinux"
	cp "$tree/System.map" "$work/"
	cp "$tree/.config" "$work/config"
	rm -rf "$tree" "$folder"
	chmod 755 "$work"
	mv "$work" "$folder"
	say "nested: built in $((SECONDS - start)) s"
	echo "$folder"
}

main_nested() {
	local key
	case ${1:-} in
	build) build_nested ;;
	path)
		key=$(nested_key) && [[ -f $results/$key/vmlinux ]] || fail 1 "not built yet; run: host/kvm/nested/kernel.sh build"
		echo "$results/$key"
		;;
	key) nested_key || fail 1 "no kernel source is known yet" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main_nested "$@"
