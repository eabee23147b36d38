#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the User-Mode Linux kernel of the guests, once for each set of inputs.
# Run it with --help for what it does.

set -euo pipefail

# Part of the cache key: raise it when a change below changes the result.
readonly RECIPE=2
readonly PACKAGE=linux-source-6.12
# In the order in which they apply.
readonly SERIES=(um vt)
# Their sources are not unpacked. UML is built from those of um and x86.
readonly OTHER_ARCHS=(alpha arc arm arm64 csky hexagon loongarch m68k microblaze mips nios2
	openrisc parisc powerpc riscv s390 sh sparc xtensa)

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
patches=$repo/kernel-patches
fragments=("$repo/guest/kernel/uml.config" "$patches/vt/vt.config")
cache=${ONECLOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oneclock}/uml
work=

usage() {
	cat <<-'TEXT'
	usage: kernel.sh build|path|key

	  build  build the guest kernel unless that has been done, and print its
	         folder as the last line; progress goes to the standard error
	  path   print that folder, or exit with 1 if nothing is built yet
	  key    print the cache key

	The folder holds the kernel (linux), its config and System.map, and build/,
	the tree for modules: make -C FOLDER/build ARCH=um M=$PWD modules

	  KERNEL_SRC      a Linux 6.12 source tree or tarball to take in place of
	                  Debian's linux-source-6.12. A tree is known by its version
	                  and its files' names, sizes and times, not by their content.
	  KERNEL_WITHOUT  patches to leave out, such as 'um/0002-seed-entropy.patch'
	  ONECLOCK_CACHE  where results are kept, in a folder uml/KEY for each;
	                  default: ${XDG_CACHE_HOME:-$HOME/.cache}/oneclock

	Nothing is ever removed from the cache. To make room, remove uml/ or any
	folder in it while nothing is being built. Once fetched, a source package
	stays in use; remove uml/source to move on to a newer one.

	Exit status: 0 fine, 1 not built or the build failed, 2 wrong usage,
	4 this machine lacks something.
	TEXT
}

say() { printf 'kernel: %s\n' "$*" >&2; }

fail() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# --- the source --------------------------------------------------------------

installed_tarball() { echo "/usr/src/$PACKAGE.tar.xz"; }

fetched_package() {
	find "$cache/source" -name "${PACKAGE}_*.deb" 2>/dev/null | sort -V | tail -n 1
}

candidate() {
	command -v apt-cache >/dev/null || return 0
	apt-cache policy "$PACKAGE" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

hash_of_tree() {
	(
		cd "$1"
		sed -n -E '/^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) =/p' Makefile
		find . -name .git -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort
	) | sha256sum | cut -d ' ' -f 1
}

# One line that stands for the source, or nothing if it has to be found yet.
# Looks at files before it asks apt, so that a new package version on the
# mirror does not make what is built already stale.
source_id() {
	local file
	if [[ -n ${KERNEL_SRC:-} ]]; then
		if [[ -d $KERNEL_SRC ]]; then
			echo "tree $(hash_of_tree "$KERNEL_SRC")"
		elif [[ -f $KERNEL_SRC ]]; then
			echo "tarball $(sha256sum <"$KERNEL_SRC" | cut -d ' ' -f 1)"
		else
			fail 2 "KERNEL_SRC=$KERNEL_SRC is neither a folder nor a file"
		fi
	elif [[ -f $(installed_tarball) ]]; then
		file=$(installed_tarball)
		echo "package $(dpkg-query -W -f '${Version}' "$PACKAGE" 2>/dev/null ||
			sha256sum <"$file" | cut -d ' ' -f 1)"
	elif file=$(fetched_package) && [[ -n $file ]]; then
		echo "package $(dpkg-deb -f "$file" Version)"
	elif [[ -n $(candidate) ]]; then
		echo "package $(candidate)"
	fi
}

# Reads an apt source of either format and writes the same for the backports of
# the suite $1; writes nothing if the input does not provide that suite.
backports_deb822() {
	awk -v suite="$1" '
		BEGIN { RS = ""; FS = "\n" }
		{
			text = ""; wanted = 0; binary = 0; off = 0; skip = 0
			for (i = 1; i <= NF; i++) {
				if ($i ~ /^#/) continue
				if ($i ~ /^[ \t]/) {		# a field continues
					if (skip) { if (index(" " $i " ", " " suite " ")) wanted = 1 }
					else text = text $i "\n"
					continue
				}
				name = tolower($i); sub(/:.*/, "", name)
				value = $i; sub(/^[^:]*:/, "", value); gsub(/\t/, " ", value)
				skip = 0
				if (name == "types") {
					binary = index(value " ", " deb ")
					text = text "Types: deb\n"
				} else if (name == "suites") {
					skip = 1
					if (index(value " ", " " suite " ")) wanted = 1
					text = text "Suites: " suite "-backports\n"
				} else {
					if (name == "enabled" && tolower(value) ~ /no/) off = 1
					text = text $i "\n"
				}
			}
			if (wanted && binary && !off) { printf "%s", text; exit }
		}'
}

backports_one_line() {
	sed -n -E "s/^[[:space:]]*(deb[[:space:]]+(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+)$1([[:space:]].*)\$/\1$1-backports\3/p" |
		head -n 1
}

add_backports() {
	local suite=$1 file text
	for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list; do
		[[ -f $file ]] || continue
		if [[ $file == *.sources ]]; then
			text=$(backports_deb822 "$suite" <"$file")
		else
			text=$(backports_one_line "$suite" <"$file")
		fi
		[[ -n $text ]] || continue
		local target=/etc/apt/sources.list.d/oneclock-backports
		[[ $file == *.sources ]] && target+=.sources || target+=.list
		say "adding $suite-backports to apt, as a copy of $file: $target"
		printf '%s\n' "$text" >"$target"
		return 0
	done
	fail 4 "no apt source of this machine provides $suite; set KERNEL_SRC to a Linux 6.12 source tree or tarball"
}

# Makes apt know the package, by the least that does it.
find_package() {
	local id='' codename=''
	[[ -z $(candidate) ]] || return 0
	if [[ -r /etc/os-release ]]; then
		id=$(. /etc/os-release && echo "${ID:-}")
		codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	fi
	if [[ $id != debian || ($codename != bookworm && $codename != trixie) ]]; then
		fail 4 "only Debian 12 and 13 have a source package to take; set KERNEL_SRC to a Linux 6.12 source tree or tarball"
	fi
	if [[ $(id -u) != 0 ]]; then
		fail 4 "apt does not know $PACKAGE yet; run once as root: $repo/host/uml/kernel.sh build"
	fi
	say "apt-get update"
	apt-get update -qq >&2
	[[ -z $(candidate) ]] || return 0
	if [[ $codename == bookworm ]]; then
		add_backports bookworm
		say "apt-get update"
		apt-get update -qq >&2
		[[ -z $(candidate) ]] || return 0
	fi
	fail 4 "apt offers no $PACKAGE; set KERNEL_SRC to a Linux 6.12 source tree or tarball"
}

# Leaves a source on this machine, unless there is one.
fetch_source() {
	[[ -z ${KERNEL_SRC:-} && ! -f $(installed_tarball) && -z $(fetched_package) ]] || return 0
	find_package
	say "fetching $PACKAGE $(candidate)"
	local part=$cache/source/part
	rm -rf "$part"
	mkdir -p "$part"
	# As root apt would read as another user, who may not enter the cache.
	(cd "$part" && apt-get download -qq -o APT::Sandbox::User=root "$PACKAGE" >&2) ||
		fail 4 "apt-get could not download $PACKAGE (see above)"
	mv "$part"/*.deb "$cache/source/"
	rmdir "$part"
}

# A kernel tree is 1.7 GB, most of it drivers that UML cannot have. Their
# Kconfig files and Makefiles must stay, the rest need not be written to disk.
unpack_source() {
	local to=$1 dir
	local -a skip=(--exclude='.git' --exclude='Documentation/*.rst' --exclude='Documentation/*.yaml'
		--exclude='Documentation/*.svg' --exclude='Documentation/*.txt'
		--exclude='tools/testing/*' --exclude='tools/perf/*' --exclude='arch/*/boot/dts/*')
	for dir in "${OTHER_ARCHS[@]/#/arch/}" \
		drivers/{gpu,media,infiniband,scsi,usb,staging,iio,mtd,ata,hwmon,net/ethernet,net/wireless,crypto,pinctrl,clk,soc,phy,video,accel} \
		sound fs/{xfs,btrfs,bcachefs,ocfs2,f2fs,smb,nfsd}; do
		skip+=(--exclude="$dir/*.c" --exclude="$dir/*.h" --exclude="$dir/*.S")
	done
	mkdir -p "$to"
	if [[ -n ${KERNEL_SRC:-} && -d $KERNEL_SRC ]]; then
		tar -C "$KERNEL_SRC" "${skip[@]}" -c . | tar -x -C "$to"
		make -s -C "$to" ARCH=um mrproper >/dev/null
	elif [[ -n ${KERNEL_SRC:-} ]]; then
		tar -x -f "$KERNEL_SRC" -C "$to" --strip-components=1 "${skip[@]}"
	elif [[ -f $(installed_tarball) ]]; then
		tar -x -f "$(installed_tarball)" -C "$to" --strip-components=1 "${skip[@]}"
	else
		dpkg-deb --fsys-tarfile "$(fetched_package)" |
			tar -x -O "./usr/src/$PACKAGE.tar.xz" |
			tar -x -J -C "$to" --strip-components=1 "${skip[@]}"
	fi
}

# --- the build ---------------------------------------------------------------

# True for a patch with a change to any file that can be in a UML kernel.
concerns_uml() {
	local archs
	archs=$(IFS='|' && echo "${OTHER_ARCHS[*]}")
	[[ -n $(sed -n -E "\\,^\+\+\+ b/arch/($archs)/,d; /^\+\+\+ b\//p" "$1") ]]
}

# The patches of this kernel, by their places in kernel-patches.
series() {
	local folder name
	for folder in "${SERIES[@]}"; do
		while read -r name; do
			[[ " ${KERNEL_WITHOUT:-} " != *" $folder/$name "* ]] || continue
			! concerns_uml "$patches/$folder/$name" || echo "$folder/$name"
		done < <(grep -v -E '^[[:space:]]*(#|$)' "$patches/$folder/series")
	done
}

cache_key() {
	local id name
	id=$(source_id) || return
	[[ -n $id ]] || return 1
	{
		echo "recipe $RECIPE"
		echo "$id"
		while read -r name; do
			echo "$name"
			cat "$patches/$name"
		done < <(series)
		cat "${fragments[@]}"
		gcc --version | head -n 1
		ld --version | head -n 1
	} | sha256sum | cut -d ' ' -f 1
}

need_tools() {
	local tool
	local -a missing=()
	for tool in make gcc ld flex bison bc patch xz flock sha256sum; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[[ ${#missing[@]} -eq 0 ]] ||
		fail 4 "missing: ${missing[*]}; run as root: $repo/host/packages.sh build"
}

apply_patches() {
	local tree=$1 name
	while read -r name; do
		patch -s -d "$tree" -p1 --forward --no-backup-if-mismatch <"$patches/$name" >&2 ||
			fail 1 "$name does not apply to this source; the series is for Linux 6.12"
	done < <(series)
}

# Each line of a fragment has to be in the config. Kconfig drops what it cannot
# do without a word, and the guest would lack it at run time.
check_config() {
	local fragment=$1 config=$2 line name bad=0
	while read -r line; do
		case $line in
		'# CONFIG_'*' is not set')
			name=${line#\# }
			name=${name% is not set}
			! grep -q "^$name=" "$config" || { say "asked for '$line', got '$(grep "^$name=" "$config")'"; bad=1; }
			;;
		CONFIG_*=*)
			grep -q -x -F -e "$line" "$config" || { say "asked for '$line', got '$(grep -E "^(# )?${line%%=*}[= ]" "$config" || echo nothing)'"; bad=1; }
			;;
		esac
	done <"$fragment"
	[[ $bad == 0 ]] || fail 1 "these options of $fragment cannot be had; see their dependencies"
}

# make for the guest kernel, with nothing of the caller's that could show in
# the result: the same inputs give the same bytes. Within the tree and not with
# O=, so that no path is written down and the tree can be moved.
kmake() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CROSS_COMPILE -u CC -u KCFLAGS -u CFLAGS \
		-u LDFLAGS -u KBUILD_OUTPUT -u O -u SUBARCH \
		LC_ALL=C LOCALVERSION= KBUILD_BUILD_USER=oneclock KBUILD_BUILD_HOST=oneclock \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		make -C "$work/build" ARCH=um "$@"
}

configure() {
	kmake -s tinyconfig
	(cd "$work/build" && scripts/kconfig/merge_config.sh -m .config "${fragments[@]}") >/dev/null
	kmake -s olddefconfig
	local fragment
	for fragment in "${fragments[@]}"; do
		check_config "$fragment" "$work/build/.config"
	done
}

compile() {
	kmake -j"$(nproc)" 2>&1 | tee "$work/build.log" |
		awk '/^  (CC|AS|HOSTCC) / { if (++n % 250 == 0) { print "kernel: " n " files compiled"; fflush() } }' >&2 || {
		cp "$work/build.log" "$cache/failed.log"
		tail -n 30 "$work/build.log" >&2
		fail 1 "the build failed; all of its output is in $cache/failed.log"
	}
}

# Keeps of the tree what building a module reads, a twentieth of it.
prune_tree() {
	local tree=$1
	(
		cd "$tree"
		find . -mindepth 1 -maxdepth 1 ! -name Makefile ! -name .config ! -name Module.symvers \
			! -name System.map ! -name scripts ! -name include ! -name arch -exec rm -rf {} +
		find arch -mindepth 1 -maxdepth 1 ! -name um ! -name x86 -exec rm -rf {} +
		find arch/x86 -mindepth 1 -maxdepth 1 ! -name include ! -name um ! -name 'Makefile*' -exec rm -rf {} +
		find arch include -name '*.[oaS]' -delete
		find . -name '*.cmd' -delete
	)
}

build() {
	need_tools
	mkdir -p "$cache"
	# Held until this script ends, so that there is one build at a time.
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another build"; flock 9; }

	fetch_source
	local key start=$SECONDS
	key=$(cache_key)
	if [[ -x $cache/$key/linux ]]; then
		echo "$cache/$key"
		return
	fi

	# What an earlier build that was killed has left: nobody else has the lock.
	rm -rf "$cache"/tmp.*
	work=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "unpacking the source"
	unpack_source "$work/build"
	say "applying $(series | wc -l) patches"
	apply_patches "$work/build"
	say "configuring"
	configure
	say "compiling, on $(nproc) cores"
	compile

	strip -o "$work/linux" "$work/build/linux"
	chmod 755 "$work" "$work/linux"
	cp "$work/build/.config" "$work/config"
	cp "$work/build/System.map" "$work/System.map"
	prune_tree "$work/build"
	rm -rf "${cache:?}/$key"
	mv "$work" "$cache/$key"
	say "built in $((SECONDS - start)) s"
	echo "$cache/$key"
}

path() {
	local key
	key=$(cache_key) && [[ -x $cache/$key/linux ]] || fail 1 "not built yet; run: $repo/host/uml/kernel.sh build"
	echo "$cache/$key"
}

main() {
	case ${1:-} in
	build) build ;;
	path) path ;;
	key) cache_key || fail 1 "no kernel source is known yet" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

# Sourced by a test, it only defines its functions.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	main "$@"
fi
