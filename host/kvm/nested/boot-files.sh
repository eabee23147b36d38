#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Prints two paths, of the kernel and of the initramfs that a nested machine boots from.
#
#   boot-files.sh debian|patched
#
#   debian    Debian's kernel, 6.12 or else 6.1, unpacked in ONECLOCK_CACHE (default
#             ~/.cache/oneclock), with the modules that it needs in the initramfs
#   patched   the kernel that kernel.sh has built; it has no modules
#
# Exit status: 0 fine, 1 not built, 2 wrong usage, 4 something is missing here.

set -euo pipefail

nested=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly nested
readonly files=${ONECLOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oneclock}/nested
# Fetches and unpacks packages.
source "$nested/../../../kmod/build.sh"

say() { printf 'nested: %s\n' "$*" >&2; }

# With what they depend on.
readonly MODULES=(virtio_pci 9pnet_virtio 9p overlay kvm-amd)

# Unpacks the kernel's package; prints the folder's name and the release.
debian() {
	local version release folder
	for version in 6.12 6.1; do
		release=$(release_of "$version" 2>/dev/null) || continue
		folder=$files/debian-$release
		unpack "$folder" "linux-image-$release"
		[[ -f $folder/lib/modules/$release/modules.dep ]] || depmod -b "$folder" "$release"
		echo "$folder $release"
		return
	done
	fail 4 "apt knows no kernel of Debian; host/kvm/nested/kernel.sh builds one"
}

# Leaves the modules as plain files, named so that they sort as they have to be loaded.
modules() {
	local folder=$1 release=$2 to=$3 name file number=100
	modprobe -d "$folder" -S "$release" --show-depends -a "${MODULES[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r file; do
			name=${file##*/}
			case $file in
			*.xz) xz -d -c "$file" >"$to/$number-${name%.xz}" ;;
			*) cp "$file" "$to/$number-$name" ;;
			esac
			number=$((number + 1))
		done
}

initramfs() {
	local to=$1
	root=$(mktemp -d)
	trap 'rm -rf "$root"' EXIT
	mkdir -p "$root"/{bin,dev,proc,lower,memory,root,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$nested/init" "$root/init"
	shift
	[[ $# == 0 ]] || modules "$@" "$root/modules"
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) >"$to.part.$$"
	mv "$to.part.$$" "$to"
}

main_boot_files() {
	local tool kernel folder release='' key made
	for tool in busybox cpio modprobe depmod xz sha256sum; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
	case ${1:-} in
	debian)
		read -r folder release <<<"$(debian)"
		[[ -n $release ]] || exit 4
		kernel=$folder/boot/vmlinuz-$release
		;;
	patched)
		folder=$("$nested/kernel.sh" path)
		kernel=$folder/vmlinux
		;;
	*)
		sed -n '4,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
		exit 2
		;;
	esac
	key=$(cat "${BASH_SOURCE[0]}" "$nested/init" "$(command -v busybox)" | sha256sum | cut -c 1-16)
	made=$folder/initramfs-$key
	[[ -f $made ]] || initramfs "$made" ${release:+"$folder" "$release"}
	printf '%s\n' "$kernel" "$made"
}

main_boot_files "$@"
