#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that oneclock is built and tested with.
#
#   packages.sh [build|test|all]     default: all
#
# Says nothing and asks no network when everything is there.
# Exit status: 0 fine, 1 apt failed, 2 wrong usage, 4 cannot install here.

set -euo pipefail

# Kernel, addon, guest programs and root file system; node-gyp is written in Python.
readonly BUILD_PACKAGES=(make gcc g++ libc6-dev python3 flex bison bc libelf-dev patch xz-utils cpio kmod busybox-static)
# Readers of what a run has written, a browser, a foreign vhost-user front-end, and boards with ARM.
readonly TEST_PACKAGES=(tcpdump tshark chromium fonts-dejavu-core qemu-system-x86 ipxe-qemu
	qemu-system-arm gcc-arm-linux-gnueabihf libc6-dev-armhf-cross)

say() { printf 'packages: %s\n' "$*" >&2; }

# The packages among the arguments that are not installed, one a line.
missing_of() {
	local name
	for name in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
	done
}

install() {
	say "installing: $*"
	export DEBIAN_FRONTEND=noninteractive
	# The lists may be absent or older than what the mirror still has.
	apt-get install -y -qq --no-install-recommends "$@" >&2 && return
	say "apt-get update"
	apt-get update -qq >&2
	apt-get install -y -qq --no-install-recommends "$@" >&2 || {
		say "apt-get could not install: $* (see above)"
		exit 1
	}
}

main() {
	local -a wanted missing
	case ${1:-all} in
	build) wanted=("${BUILD_PACKAGES[@]}") ;;
	test) wanted=("${TEST_PACKAGES[@]}") ;;
	all) wanted=("${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}") ;;
	*)
		echo "usage: packages.sh [build|test|all]" >&2
		exit 2
		;;
	esac

	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "this is not Debian; install what these Debian packages provide: ${wanted[*]}"
		exit 4
	fi
	mapfile -t missing < <(missing_of "${wanted[@]}")
	[[ ${#missing[@]} -gt 0 ]] || return 0
	if [[ $(id -u) != 0 ]]; then
		say "run as root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
		exit 4
	fi
	install "${missing[@]}"
}

main "$@"
