#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Unpacks Linux 6.12 and applies series of kernel-patches/ to it.
#
#   patched-source.sh FOLDER SERIES...     such as: patched-source.sh /tmp/linux vt
#
# FOLDER must not exist. KERNEL_SRC and ONECLOCK_CACHE as in uml/kernel.sh --help.
# Exit status: 0 fine, 1 a patch does not apply, 2 wrong usage, 4 this machine lacks something.

set -euo pipefail

# Where the source comes from.
source "$(dirname "${BASH_SOURCE[0]}")/uml/kernel.sh"

readonly all_patches=$repo/kernel-patches

# The files of series, in their order.
files_of_series() {
	local name
	for name; do
		sed -E "/^[[:space:]]*(#|\$)/d; s,^,$all_patches/$name/," "$all_patches/$name/series"
	done
}

# Leaves a source on this machine. Held against a build of the guest kernel, which may do the same.
fetch_source_once() {
	mkdir -p "$cache"
	(flock 9 && fetch_source) 9>"$cache/lock"
}

# Neither x86 nor ARM is built with these; their Kconfig files are read.
unpack_all_source() {
	local to=$1 dir
	local -a skip=(--exclude='.git' --exclude='tools/testing/*')
	for dir in arch/{alpha,arc,arm64,csky,hexagon,loongarch,m68k,microblaze,mips,nios2,openrisc,parisc,powerpc,riscv,s390,sh,sparc,xtensa} \
		drivers/{gpu,infiniband,media,staging,net/wireless} sound; do
		skip+=(--exclude="$dir/*.c" --exclude="$dir/*.S")
	done
	mkdir -p "$to"
	if [[ -d ${KERNEL_SRC:-} ]]; then
		tar -C "$KERNEL_SRC" "${skip[@]}" -c . | tar -x -C "$to"
		make -s -C "$to" mrproper >/dev/null
	elif [[ -n ${KERNEL_SRC:-} ]]; then
		tar -x -f "$KERNEL_SRC" -C "$to" --strip-components=1 "${skip[@]}"
	elif [[ -f $(installed_tarball) ]]; then
		tar -x -f "$(installed_tarball)" -C "$to" --strip-components=1 "${skip[@]}"
	else
		dpkg-deb --fsys-tarfile "$(fetched_package)" | tar -x -O "./usr/src/$PACKAGE.tar.xz" |
			tar -x -J -C "$to" --strip-components=1 "${skip[@]}"
	fi
}

patched_source() {
	local to=$1 file
	shift
	unpack_all_source "$to"
	while read -r file; do
		patch -s -d "$to" -p1 --forward --no-backup-if-mismatch <"$file" >&2 ||
			fail 1 "${file#"$repo/"} does not apply to this source; the series is for Linux 6.12"
	done < <(files_of_series "$@")
}

main_source() {
	[[ $# -ge 2 && ! -e $1 ]] || {
		sed -n '4,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
		exit 2
	}
	local name
	for name in "${@:2}"; do
		[[ -f $all_patches/$name/series ]] || fail 2 "no series '$name' in kernel-patches/"
	done
	fetch_source_once
	patched_source "$@"
}

# Sourced, it only defines its functions.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	main_source "$@"
fi
