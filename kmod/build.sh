#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds vtgpio.ko for kinds of kernels, and the selftests' module where they run.
#
#   build.sh KIND...
#
#   6.1, 6.12            x86-64, with Debian's kernel headers
#   arm-6.1, arm-6.12    ARM (Allwinner boards), with Debian's kernel source
#   uml                  the project's own guest kernel
#   <folder>             a kernel build tree; ARCH and CROSS_COMPILE as set
#
# Nothing is installed: packages are unpacked in ONECLOCK_KMOD_CACHE (default
# ~/.cache/oneclock/kmod). The modules end up in kmod/build/KIND/; nothing is done
# where they are there and nothing has changed. A warning is an error.
# Exit status: 0 fine, 1 a build failed, 2 wrong usage, 4 something is missing here.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly cache=${ONECLOCK_KMOD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oneclock/kmod}
jobs=$(nproc)
readonly jobs

say() { printf 'kmod: %s\n' "$*" >&2; }
fail() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# --- packages ------------------------------------------------------------------

# The newest package whose whole name matches.
newest() {
	apt-cache pkgnames linux- | grep -E -x "$1" | sort -V | tail -n 1
}

# Leaves the named package's files in the folder, once.
unpack() {
	local folder=$1 name=$2
	[[ ! -f $folder/.$name ]] || return 0
	local part=$cache/part.$$
	rm -rf "$part"
	mkdir -p "$part" "$folder"
	say "fetching $name"
	(cd "$part" && apt-get download -qq -o APT::Sandbox::User=root "$name" >&2) ||
		fail 4 "apt-get could not download $name (see above)"
	dpkg-deb -x "$part"/*.deb "$folder"
	rm -rf "$part"
	touch "$folder/.$name"
}

# The release of Debian's kernel of a version, as in 6.1.0-31-amd64.
release_of() {
	local name
	name=$(newest "linux-headers-${1//./\\.}\.[0-9].*[0-9]-amd64|linux-headers-${1//./\\.}\.[0-9.]+\+deb[0-9]+-amd64")
	[[ -n $name ]] || fail 4 "apt knows no kernel headers for Linux $1; host/packages.sh and host/uml/kernel.sh say how it can"
	echo "${name#linux-headers-}"
}

# Debian's headers in a folder of their own: what their Makefile names by its
# place under / is made to name it here.
headers() {
	local version=$1 folder=$cache/headers-$1 release common kbuild
	release=$(release_of "$version")
	if [[ ! -f $folder/.$release ]]; then
		common=linux-headers-${release%-amd64}-common
		kbuild=$(apt-cache depends "linux-headers-$release" | sed -n 's/.*Depends: \(linux-kbuild-[^ ]*\).*/\1/p' | head -n 1)
		rm -rf "$folder"
		unpack "$folder" "linux-headers-$release"
		unpack "$folder" "$common"
		unpack "$folder" "$kbuild"
		sed -i "s,/usr/,$folder/usr/," "$folder/usr/src/linux-headers-$release/Makefile"
		touch "$folder/.$release"
	fi
	echo "$folder/usr/src/linux-headers-$release"
}

# A source tree that is prepared for building modules for ARM.
arm_tree() {
	local version=$1 tree=$cache/arm-$1 source=linux-source-$1 tarball
	if [[ ! -f $tree/.prepared ]]; then
		command -v arm-linux-gnueabihf-gcc >/dev/null ||
			fail 4 "missing: arm-linux-gnueabihf-gcc (Debian: gcc-arm-linux-gnueabihf)"
		rm -rf "$tree"
		mkdir -p "$tree"
		tarball=/usr/src/$source.tar.xz
		if [[ ! -f $tarball ]]; then
			unpack "$cache/source-$version" "$source"
			tarball=$cache/source-$version$tarball
		fi
		say "unpacking $source"
		tar -x -f "$tarball" -C "$tree" --strip-components=1 --exclude='*/Documentation/*.rst' \
			--exclude='*/tools/testing' --exclude='*/drivers/gpu/*.[ch]' --exclude='*/sound/*.[ch]'
		say "configuring"
		kernel_make "$tree" ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- -s sunxi_defconfig >&2
		"$tree/scripts/config" --file "$tree/.config" -e MODULES -e MODULE_UNLOAD -e GPIOLIB -e FTRACE -e ENABLE_DEFAULT_TRACERS
		kernel_make "$tree" ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- -s olddefconfig >&2
		kernel_make "$tree" ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- -s -j"$jobs" modules_prepare >&2
		touch "$tree/.prepared"
	fi
	echo "$tree"
}

# make for a kernel, with nothing of a caller's make in it.
kernel_make() {
	local tree=$1
	shift
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u KBUILD_OUTPUT LC_ALL=C make -C "$tree" "$@"
}

# --- the build -------------------------------------------------------------------

# Built in a copy, so that kinds do not get into each other's way.
compile() {
	local kind=$1 tree=$2
	shift 2
	local out=$here/build/$kind log inputs
	log=$out/build.log
	inputs=$(cd "$here" && printf '%s\n' "$tree" "$@" | cat - ./*.[ch] Kbuild build.sh selftests/*_wire.c | sha256sum)
	[[ ! -f $out/vtgpio.ko || $(cat "$out/.inputs" 2>/dev/null) != "$inputs" ]] || return 0
	rm -f "$out/.inputs"
	mkdir -p "$out"
	cp "$here"/*.[ch] "$here/Kbuild" "$out/"
	mkdir -p "$out/selftests"
	cp "$here"/selftests/*_wire.c "$out/selftests/"
	kernel_make "$tree" M="$out" W=1 -s -j"$jobs" "$@" modules >"$log" 2>&1 || {
		cat "$log" >&2
		fail 1 "$kind: the build failed"
	}
	# Without the kernel's own image there is nothing to take types from; a
	# tree that was only prepared does not know what a kernel exports.
	if grep -v -E '^$|Skipping BTF|You may get|Module.symvers is missing|Modules may not have dependencies|You can set KBUILD_MODPOST_WARN|if you want to proceed|modpost: "[a-z_A-Z0-9]*" \[.*\] undefined|suppressed .* unresolved|the compiler differs|The kernel was built by|You are using' "$log" >&2; then
		fail 1 "$kind: warnings"
	fi
	printf '%s' "$inputs" >"$out/.inputs"
	say "$kind: $out/vtgpio.ko"
}

build() {
	local kind=$1 tree
	case $kind in
	6.1 | 6.12)
		tree=$(headers "$kind")
		compile "$kind" "$tree" VTGPIO_SELFTESTS=m
		;;
	arm-6.1 | arm-6.12)
		tree=$(arm_tree "${kind#arm-}")
		compile "$kind" "$tree" ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- KBUILD_MODPOST_WARN=1
		;;
	uml)
		tree=$("$here/../host/uml/kernel.sh" path)/build
		compile "$kind" "$tree" ARCH=um VTGPIO_SELFTESTS=m
		;;
	*/*)
		[[ -f $kind/Makefile ]] || fail 2 "$kind is no kernel build tree"
		compile "$(basename "$kind")" "$kind"
		;;
	*) fail 2 "no such kind: $kind" ;;
	esac
}

main() {
	[[ $# -gt 0 ]] || {
		sed -n '3,16s/^# \{0,1\}//p' "$0" >&2
		exit 2
	}
	local kind
	for kind; do
		build "$kind"
	done
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	main "$@"
fi
