# SPDX-License-Identifier: MIT
#
# Builds a kernel from Linux 6.12 and our series, once for each set of inputs. To be
# sourced by a script that says, before it calls build_main, what is built:
#
#   kind       the folder in the cache: results are in ONECLOCK_CACHE/KIND/KEY
#   label      the same for people
#   recipe     part of the cache key: raise it when a change here or there changes
#              the result
#   series     of kernel-patches/
#   defconfig  what the fragments are merged into
#   fragments  of configuration; a line that does not end up as written is an error
#   inputs     files besides on which the result depends
#   targets    of make
#   options    of make
#   cross      the prefix of the compiler's name
#   product    the file by which a folder of results is known to be whole
#   tree_name  of the source's folder, while and if it is kept
#   advice     the command that builds it
#   usage()    writes what the script does
#   prepare()  changes the patched source in $tree
#   collect()  puts the results from $tree into $work

# Where the source comes from, and check_config.
source "$(dirname "${BASH_SOURCE[0]}")/patched-source.sh"

inputs=()
options=()
cross=
tree_name=source
prepare() { :; }

build_key() {
	local id
	id=$(source_id) || return
	[[ -n $id ]] || return 1
	{
		echo "recipe $recipe"
		echo "$id"
		files_of_series "$series" | xargs cat
		cat "${inputs[@]}" "${fragments[@]}"
		"${cross}gcc" --version | head -n 1
		"${cross}ld" --version | head -n 1
	} | sha256sum | cut -d ' ' -f 1
}

# Nothing of the caller's shows in the result: the same inputs give the same bytes.
build_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CROSS_COMPILE -u CC -u KCFLAGS -u CFLAGS -u LDFLAGS -u KBUILD_OUTPUT -u O \
		LC_ALL=C LOCALVERSION= KBUILD_BUILD_USER=oneclock KBUILD_BUILD_HOST=oneclock \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		make -C "$tree" "${options[@]}" "$@"
}

build_configure() {
	local fragment
	build_make -s "$defconfig"
	(cd "$tree" && scripts/kconfig/merge_config.sh -m .config "${fragments[@]}") >/dev/null
	build_make -s olddefconfig
	for fragment in "${fragments[@]}"; do check_config "$fragment" "$tree/.config"; done
	# Who has the kernel's image has all of it.
	! grep '=m$' "$tree/.config" >&2 || fail 1 "these drivers would be modules, which nobody installs"
}

build_compile() {
	build_make -j"$(nproc)" "${targets[@]}" 2>&1 | tee "$work/build.log" |
		awk '/^  (CC|AS|HOSTCC) / { if (++n % 250 == 0) { print "kernel: " n " files compiled"; fflush() } }' >&2 || {
		cp "$work/build.log" "$results/failed.log"
		tail -n 30 "$work/build.log" >&2
		fail 1 "the build failed; all of its output is in $results/failed.log"
	}
}

build_once() {
	need_tools
	mkdir -p "$results"
	# Held until this script ends, so that there is one build at a time.
	exec 8>"$results/lock"
	flock -n 8 || { say "$label: waiting for another build"; flock 8; }
	fetch_source_once

	local key folder start=$SECONDS
	key=$(build_key)
	folder=$results/$key
	if [[ -f $folder/$product ]]; then
		echo "$folder"
		return
	fi

	# What an earlier build that was killed has left: nobody else has the lock.
	rm -rf "$results"/tmp.*
	work=$(mktemp -d "$results/tmp.XXXXXX")
	tree=$work/$tree_name
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "$label: unpacking and patching the source"
	patched_source "$tree" "$series"
	prepare
	say "$label: configuring"
	build_configure
	say "$label: compiling, on $(nproc) cores"
	build_compile

	cp "$tree/System.map" "$work/"
	cp "$tree/.config" "$work/config"
	collect
	chmod 755 "$work"
	rm -rf "$folder"
	mv "$work" "$folder"
	say "$label: built in $((SECONDS - start)) s"
	echo "$folder"
}

build_main() {
	local key
	results=$(dirname "$cache")/$kind
	case ${1:-} in
	build) build_once ;;
	path)
		key=$(build_key) && [[ -f $results/$key/$product ]] || fail 1 "not built yet; run: $advice"
		echo "$results/$key"
		;;
	key) build_key || fail 1 "no kernel source is known yet" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}
