#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs every test of `make test`. Those in nested machines, most of whose time one emulated processor takes, run beside
# the others. Ends with a line that counts all. Exit status: 0 all passed, 1 not.

set -uo pipefail
cd "$(dirname "$0")/.."

readonly TOTALS='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'
folder=$(mktemp -d)
nested=
finish() {
	[[ -z $nested ]] || kill -- "-$nested" 2>/dev/null
	rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# A group of processes of its own, so that what it started ends with it.
set -m
npx --no-install vitest run --project nested </dev/null >"$folder/nested" 2>&1 &
nested=$!
set +m
npx --no-install vitest run --project unit --project e2e 2>&1 | tee "$folder/others"
others_status=${PIPESTATUS[0]}
wait "$nested"
nested_status=$?
nested=
cat "$folder/nested"

passed=0 failed=0 skipped=0
for part in others nested; do
	if [[ $(tail -n 1 "$folder/$part") =~ $TOTALS ]]; then
		((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2], skipped += BASH_REMATCH[3]))
	else
		((failed += 1))
	fi
done
((others_status == 0 && nested_status == 0)) || ((failed > 0)) || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
