#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# An unmodified kernel of Debian for KVM guests, with the modules that it needs there.
#
#   debian.sh [VERSION]       the newest of Linux VERSION, as in 6.1 (default: 6.12)
#
# Prints the folder that holds `kernel`, a bzImage, `modules/*.ko`, and `modules/list`
# with their names in the order in which they go in. Nothing is installed: the package
# is unpacked in ONECLOCK_CACHE/kvm-debian (default ~/.cache/oneclock/kvm-debian), once.
# Exit status: 0 fine, 2 wrong usage, 4 something is missing here.

set -euo pipefail

readonly cache=${ONECLOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oneclock}/kvm-debian
# Each behind those that it needs. Some are built into some kernels.
readonly modules=(
	drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_mmio
	drivers/char/virtio_console drivers/char/hw_random/rng-core drivers/char/hw_random/virtio-rng
	net/core/failover drivers/net/net_failover drivers/net/virtio_net
	drivers/gpio/gpio-virtio
)
part=
trap '[[ -z $part ]] || rm -rf "$part"' EXIT

fail() {
	local status=$1
	shift
	printf 'debian.sh: %s\n' "$*" >&2
	exit "$status"
}

# The newest package of a version, without those for clouds and real-time, and those without signature.
package_of() {
	local version=${1//./\\.}
	apt-cache pkgnames linux-image- |
		grep -E -x "linux-image-$version\.[0-9]+(-[0-9]+|\+deb[0-9]+)-amd64" | sort -V | tail -n 1 || true
}

# Leaves the kernel and its modules in a folder.
fetch() {
	local package=$1 folder=$2 name file
	local release=${package#linux-image-}
	part=$(mktemp -d "$folder.XXXXXX")
	printf 'debian.sh: fetching %s\n' "$package" >&2
	(cd "$part" && apt-get download -qq -o APT::Sandbox::User=root "$package" >&2) ||
		fail 4 "apt-get could not download $package (see above)"
	dpkg-deb -x "$part"/*.deb "$part/root"
	mkdir -p "$part/made/modules"
	mv "$part/root/boot/vmlinuz-$release" "$part/made/kernel"
	local tree=$part/root/lib/modules/$release
	[[ -d $tree ]] || tree=$part/root/usr/lib/modules/$release
	for name in "${modules[@]}"; do
		file=$tree/kernel/$name.ko
		if [[ -f $file.xz ]]; then
			xz -d "$file.xz"
		elif [[ ! -f $file ]]; then
			continue
		fi
		mv "$file" "$part/made/modules/"
		basename "$file" >>"$part/made/modules/list"
	done
	grep -q -x virtio_mmio.ko "$part/made/modules/list" || fail 4 "$package has no virtio_mmio"
	mv -T "$part/made" "$folder"
}

main() {
	[[ $# -le 1 && ${1:-6.12} =~ ^[0-9]+\.[0-9]+$ ]] || {
		sed -n '4,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
		exit 2
	}
	local tool package folder
	for tool in apt-get apt-cache dpkg-deb xz flock; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool (Debian: apt, dpkg, xz-utils, util-linux)"
	done
	package=$(package_of "${1:-6.12}")
	[[ -n $package ]] || fail 4 "apt knows no kernel for Linux ${1:-6.12}; Debian 12 has 6.12 in bookworm-backports"
	folder=$cache/${package#linux-image-}
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
	[[ -d $folder ]] || fetch "$package" "$folder"
	echo "$folder"
}

main "$@"
