#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests these patches in nested machines: that KVM_HC_VMM does what it says in the
# kernel that host/kvm/nested/kernel.sh builds, and is unknown in Debian's.
#
#   test.sh [patched] [plain]     default: both
#
# Prints the tests' TAP.
# Exit status: 0 fine, 1 a test failed, 2 wrong usage, 4 something is missing here.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../../.." && pwd)
readonly here repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
	local kind kernel status=0
	local -a kinds=("$@")
	[[ $# -gt 0 ]] || kinds=(patched plain)
	for kind in "${kinds[@]}"; do
		[[ $kind == patched || $kind == plain ]] || {
			sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
			exit 2
		}
	done
	"${CC:-gcc}" -O2 -Wall -Wextra -Werror -static -I "$repo/protocols/hypercall" -I "$repo/kernel-patches/vt/tests" \
		-o "$work/hypercall_test" "$here/tests/hypercall_test.c"
	for kind in "${kinds[@]}"; do
		kernel=debian
		if [[ $kind == patched ]]; then
			kernel=patched
			"$repo/host/kvm/nested/kernel.sh" build >/dev/null
		fi
		echo "# kernel: $kernel"
		"$repo/host/kvm/nested/run.sh" --kernel "$kernel" --memory 512M --timeout 120 -- "$work/hypercall_test" "$kind" || status=1
	done
	return $status
}

main "$@"
