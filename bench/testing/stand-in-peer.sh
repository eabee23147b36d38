#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Stands in for another controller, to try ONECLOCK_PEER where there is none: our own `serve`, which is given its
# delay in milliseconds without a unit, as usfstl's control program is.
#
#	ONECLOCK_PEER=bench/testing/stand-in-peer.sh make bench
set -eu
main=$(dirname "$(realpath "$0")")/../../dist/backend/cli/main.js
delay=
for word; do
	shift
	[ -z "$delay" ] || word=${word}ms
	delay=
	[ "$word" != --net-delay ] || delay=next
	set -- "$@" "$word"
done
exec node "$main" serve "$@"
