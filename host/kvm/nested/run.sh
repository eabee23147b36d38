#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs a command in a machine that has /dev/kvm of upstream Linux, wherever this is:
# QEMU's software emulation of a processor with AMD's virtualization.
#
#   run.sh [--memory M] [--timeout S] [--share DIR]... [--kernel KIND] -- COMMAND...
#
#   --memory M     of the machine, as in 512M or 4G (default 2G)
#   --timeout S    seconds until the machine is killed (default 300)
#   --share DIR    a folder that the command may change
#   --kernel KIND  debian, or patched: the one that kernel.sh builds, with
#                  kernel-patches/kvm/host (default: patched where it is built)
#
# The command sees this machine's files, in the current folder and with this
# environment, as root. What it writes is lost, but for DIRs. Its standard input is
# empty; its output and its exit status are those of this script.
# Exit status otherwise: 124 out of time, 125 the machine failed, 2 wrong usage,
# 4 something is missing here.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
memory=2G
limit_s=300
kind=
shares=()
work=
machine=
readers=()

say() { printf 'nested: %s\n' "$*" >&2; }

fail() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

usage() {
	sed -n '3,20s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

bad_usage() {
	say "$*"
	usage >&2
	exit 2
}

# Whatever the end, nothing stays.
clean_up() {
	if [[ -n $machine ]]; then
		kill "$machine" "${readers[@]}" 2>/dev/null || true
		wait
	fi
	[[ -z $work ]] || rm -rf "$work"
}

parse() {
	while [[ $# -gt 0 ]]; do
		case $1 in
		--memory)
			[[ ${2:-} =~ ^[1-9][0-9]*[MG]$ ]] || bad_usage "--memory wants a size such as 512M, not '${2:-}'"
			memory=$2
			;;
		--timeout)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || bad_usage "--timeout wants a number of seconds, not '${2:-}'"
			limit_s=$2
			;;
		--share)
			[[ -d ${2:-} ]] || bad_usage "--share wants a folder, not '${2:-}'"
			shares+=("$(realpath "$2")")
			;;
		--kernel)
			[[ ${2:-} == debian || ${2:-} == patched ]] || bad_usage "--kernel wants debian or patched, not '${2:-}'"
			kind=$2
			;;
		--help)
			usage
			exit 0
			;;
		--)
			shift
			break
			;;
		*) bad_usage "not an option: '$1'" ;;
		esac
		shift 2
	done
	[[ $# -gt 0 ]] || bad_usage "no command"
	command=("$@")
}

# What the machine's first process reads, and where it writes to.
write_control() {
	local index
	: >"$work/stdout"
	: >"$work/stderr"
	for index in "${!shares[@]}"; do
		# A comma is doubled for QEMU.
		devices+=(-fsdev "local,id=share$index,path=${shares[index]//,/,,},security_model=none,multidevs=remap"
			-device "virtio-9p-pci,fsdev=share$index,mount_tag=share$index")
		printf '%s %s\n' "share$index" "${shares[index]}"
	done >"$work/shares"
	{
		# Bash does not let go of some of its own variables.
		printf '{\n%s\n} 2>/dev/null\n' "$(export -p)"
		printf 'cd %q || exit 125\n' "$PWD"
		printf 'exec --'
		printf ' %q' "${command[@]}"
		printf '\n'
	} >"$work/command"
}

start() {
	# Whoever of these is killed takes those behind it along.
	setpriv --pdeathsig TERM timeout --kill-after=10 "$limit_s" \
		setpriv --pdeathsig KILL qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=single,tb-size=1024 -cpu max,+svm -smp 1 -m "$memory" \
		-kernel "$kernel" -initrd "$initramfs" -append "$PARAMETERS" -serial "file:$work/console" \
		"${devices[@]}" </dev/null >"$work/qemu" 2>&1 &
	machine=$!
}

readonly PARAMETERS='console=ttyS0 quiet panic=-1 no_timer_check mitigations=off random.trust_cpu=on'

main() {
	local tool command=() files status=0
	parse "$@"
	for tool in qemu-system-x86_64 setpriv timeout; do
		command -v "$tool" >/dev/null || fail 4 "missing: $tool; run as root: host/packages.sh"
	done
	if [[ -z $kind ]]; then
		kind=debian
		! "$here/kernel.sh" path >/dev/null 2>&1 || kind=patched
	fi
	files=$("$here/boot-files.sh" "$kind") || fail 4 "there is no kernel to start (see above)"
	{ read -r kernel && read -r initramfs; } <<<"$files"

	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	work=$(mktemp -d "${TMPDIR:-/tmp}/oneclock-nested.XXXXXX")
	devices=(-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=root"
		-fsdev "local,id=control,path=${work//,/,,},security_model=none"
		-device "virtio-9p-pci,fsdev=control,mount_tag=control")
	write_control
	start
	# They end when they have read what the machine has left.
	setpriv --pdeathsig TERM tail -c +1 -f -s 0.1 --pid "$machine" "$work/stdout" &
	readers+=($!)
	setpriv --pdeathsig TERM tail -c +1 -f -s 0.1 --pid "$machine" "$work/stderr" >&2 &
	readers+=($!)
	wait "$machine" || status=$?
	wait "${readers[@]}" || true
	machine=

	[[ ! -s $work/status ]] || exit "$(<"$work/status")"
	[[ $status != 124 ]] || fail 124 "not done after $limit_s s"
	cat "$work/qemu" "$work/console" >&2
	fail 125 "the machine failed; above is what it said last"
}

main "$@"
