#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Prints the path of a qemu-system-arm that has a machine.
#
#   qemu.sh MACHINE
#
# That is the installed one, or else the one of Debian's backports, which is not
# installed but unpacked in ONECLOCK_CACHE (default ~/.cache/oneclock), and found
# by apt lists of its own: QEMU has had the Banana Pi M2 Ultra since 8.1, Debian 12
# has 7.2. Its libraries are those of the installed one.
# Exit status: 0 fine, 2 wrong usage, 4 there is none.

set -euo pipefail

# What reads apt's sources.
source "$(dirname "${BASH_SOURCE[0]}")/../uml/kernel.sh"

readonly folder=$(dirname "$cache")/qemu
readonly program=$folder/usr/bin/qemu-system-arm

has_machine() { "$1" -M help 2>/dev/null | grep -q "^$2 "; }

# This machine's apt source of the suite, made into one of its backports, in the folder.
write_backports() {
	local suite=$1 to=$2 file text
	for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list; do
		[[ -f $file ]] || continue
		if [[ $file == *.sources ]]; then
			text=$(backports_deb822 "$suite" <"$file")
		else
			text=$(backports_one_line "$suite" <"$file")
		fi
		[[ -n $text ]] || continue
		printf '%s\n' "$text" >"$to/backports.${file##*.}"
		return
	done
	fail 4 "no apt source of this machine provides $suite"
}

fetch() {
	local part=$folder.part suite
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	rm -rf "$part"
	mkdir -p "$part"/{sources,lists/partial,cache/archives/partial}
	write_backports "$suite" "$part/sources"
	local -a options=(-qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$part/sources"
		-o "Dir::State::lists=$part/lists" -o "Dir::Cache=$part/cache")
	say "fetching qemu-system-arm of $suite-backports"
	(
		cd "$part"
		apt-get "${options[@]}" update && apt-get "${options[@]}" download qemu-system-arm
	) >&2 || fail 4 "apt-get could not download qemu-system-arm of $suite-backports (see above)"
	dpkg-deb -x "$part"/qemu-system-arm_*.deb "$part/root"
	rm -rf "$folder"
	mv "$part/root" "$folder"
	rm -rf "$part"
}

main_qemu() {
	[[ $# == 1 ]] || {
		sed -n '4,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
		exit 2
	}
	local installed
	installed=$(command -v qemu-system-arm) || fail 4 "missing: qemu-system-arm; run as root: host/packages.sh"
	if has_machine "$installed" "$1"; then
		echo "$installed"
		return
	fi
	mkdir -p "$(dirname "$folder")"
	exec 9>"$folder.lock"
	flock 9
	[[ -x $program ]] || fetch
	has_machine "$program" "$1" || fail 4 "no QEMU here has the machine $1"
	echo "$program"
}

main_qemu "$@"
