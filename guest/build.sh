#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Makes the archive that every guest's initramfs begins with: init, busybox and the small tools of guest/tools.
# The same sources, compiler and busybox give the same bytes. Nothing is done if none of them has changed.
#
# usage: guest/build.sh ARCHIVE          e.g. guest/build.sh build/base.cpio
#        CC=…  BUSYBOX=…                 another C compiler, another static busybox
set -euo pipefail
export LC_ALL=C

die() {
	echo "guest/build.sh: $*" >&2
	exit 4
}

[ $# -eq 1 ] || {
	echo "usage: guest/build.sh ARCHIVE" >&2
	exit 2
}
archive=$(realpath -m -- "$1")
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
protocols=$here/../protocols
cc=${CC:-cc}
flags=(-std=gnu11 -D_GNU_SOURCE -Os -static -Wall -Wextra -Werror -Wl,--build-id=none)

for tool in "$cc" cpio readelf sha256sum; do
	command -v "$tool" >/dev/null || die "needs $tool: apt-get install gcc libc6-dev binutils cpio coreutils"
done
busybox=${BUSYBOX:-$(command -v busybox || true)}
[ -x "$busybox" ] || die "needs a static busybox: apt-get install busybox-static"
if readelf --program-headers "$busybox" | grep -q INTERP; then
	die "$busybox needs shared libraries, a static one is needed: apt-get install busybox-static"
fi

# What the archive is made of, as one number.
inputs=$(
	cd "$here"
	{
		printf '%s\n' "${flags[@]}"
		"$cc" --version
		sha256sum build.sh init/*.[ch] tools/*.[ch]
		sha256sum <"$protocols/agent/agent.h"
		sha256sum <"$protocols/relay/relay.h"
		sha256sum <"$busybox"
	} | sha256sum
)
if [ -f "$archive" ] && [ "$(cat -- "$archive.inputs" 2>/dev/null)" = "$inputs" ]; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
root=$work/root
mkdir "$root"
cd "$root"

mkdir -p bin sbin usr/bin usr/sbin usr/local/bin dev etc home mnt oneclock proc root run sys tmp var
ln -s ../run var/run

# Compiled where the sources are, with relative names, so that the place of the checkout is not in the result.
(cd "$here" && "$cc" "${flags[@]}" -s -o "$root/init" init/*.c)
(cd "$here" && "$cc" "${flags[@]}" -s -o "$root/usr/local/bin/tools" tools/*.c)
for name in gpio stream; do ln -s tools "usr/local/bin/$name"; done

install -m 755 -- "$busybox" bin/busybox
# Not as init: the guest's first process is ours, and a second one would take its place in a script's PATH.
"$busybox" --list-full | grep -Ev '^(sbin/init|linuxrc|bin/busybox)$' | while read -r applet; do
	mkdir -p -- "$(dirname -- "$applet")"
	ln -s /bin/busybox "$applet"
done

cat >etc/passwd <<-'END'
	root:x:0:0:root:/root:/bin/sh
	nobody:x:65534:65534:nobody:/nonexistent:/bin/false
END
cat >etc/group <<-'END'
	root:x:0:
	tty:x:5:
	nogroup:x:65534:
END
cat >etc/hosts <<-'END'
	127.0.0.1 localhost
	::1 localhost
END

find . -type d -exec chmod 755 {} +
chmod 644 etc/passwd etc/group etc/hosts
chmod 700 root
chmod 1777 tmp
find . -exec touch --no-dereference --date=@0 {} +

mkdir -p -- "$(dirname -- "$archive")"
find . -mindepth 1 -printf '%P\n' | sort |
	cpio --quiet --create --format=newc --reproducible --owner=+0:+0 >"$work/archive"
# The archive last, and at once: whoever is stopped here leaves the old one or the new one.
rm -f -- "$archive.inputs"
part=$(mktemp -- "$archive.XXXXXX")
cat -- "$work/archive" >"$part"
chmod 644 -- "$part"
mv -- "$part" "$archive"
printf '%s' "$inputs" >"$archive.inputs"
