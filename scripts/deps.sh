#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# deps.sh SET...: install what is missing from Debian, in one apt-get call.
#
#	build		compiler and libraries of agent, library and tools
#	module		what building the module for the guests' kernels needs
#	headers-RELEASE	headers of one kernel, if it has none yet
#	vm		qemu and what makes the guest's image
#	uml		the kernel source and what building User Mode Linux needs
#	kselftest	the kernel source with its own tests
#	peers		the TLS programs that we test against
#	deb		what makes Debian packages
#	packages	what tries them out
#	interop		more of them, for make interop: NSS, wolfSSL, mbedTLS, Go, Node, Java
#	bench		what ours is compared with
#	test		cmocka, sparse, ctags, valgrind
# deps.sh image SERIES: download the kernel package of a series into build/vm
# and print its path; deps.sh headers SERIES: the headers that go with it, as
# the folder to build modules in. Neither is installed: that would give this
# machine a kernel to boot.
#
# Asks nothing, does nothing if nothing is missing.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
export DEBIAN_FRONTEND=noninteractive

declare -A packages=(
	[build]="gcc libc6-dev pkg-config nettle-dev libgmp-dev libtasn1-6-dev libnl-3-dev libnl-genl-3-dev libinih-dev libseccomp-dev libsystemd-dev libcap-dev libhiredis-dev libp11-kit-dev zlib1g-dev liburing-dev linux-libc-dev"
	[module]="make gcc libelf1 libssl3 pahole"
	[vm]="qemu-system-x86 busybox-static kmod cpio zstd xz-utils openssl iproute2 procps curl"
	[uml]="linux-source-6.12 make gcc libc6-dev flex bison bc xz-utils busybox-static iproute2 kmod"
	[peers]="openssl gnutls-bin curl nginx-light python3 python3-cryptography socat redis-server redis-tools tshark tcpdump softhsm2"
	[kselftest]="linux-source-6.12 gcc libc6-dev linux-libc-dev xz-utils"
	[bench]="gcc libc6-dev nettle-dev libssl-dev libgnutls28-dev linux-source-6.12 xz-utils jq gnuplot-nox"
	[deb]="debhelper dh-dkms dpkg-dev lintian"
	[packages]="debootstrap systemd"
	[interop]="libnss3-tools libwolfssl-dev libmbedtls-dev golang-go nodejs default-jdk-headless"
	[test]="softhsm2 libcmocka-dev libssl-dev libgnutls28-dev libjansson-dev sparse universal-ctags binutils valgrind python3-yaml python3-jsonschema"
)
declare -A meta=([6.1]=amd64 [6.12]=6.12-amd64)

fail() { echo "deps: $*" >&2; exit 1; }

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

refresh_lists() {
	[ -z "${refreshed:-}" ] || return 0
	refreshed=1
	[ "$(id -u)" = 0 ] || return 0
	apt-get update -qq > /dev/null || echo "deps: apt-get update failed; going on with the lists there are" >&2
}

# The real package behind a meta package: what linux-image-amd64 depends on.
resolve() {
	apt-cache depends "$1" 2> /dev/null |
		awk '$1 == "Depends:" && /linux-(image|headers)-[0-9]/ { print $2; exit }'
}

# release SERIES: the kernel release that images and modules are made for.
release() {
	local image f=$top/build/vm/$1/release
	[ -n "${meta[$1]:-}" ] || fail "kernel series $1 is unknown; there are: ${!meta[*]}"
	if [ -s "$f" ]; then cat "$f"; return; fi
	image=$(resolve "linux-image-${meta[$1]}")
	[ -n "$image" ] || { refresh_lists; image=$(resolve "linux-image-${meta[$1]}"); }
	[ -n "$image" ] || fail "no package linux-image-${meta[$1]} in apt's lists"
	echo "${image#linux-image-}"
}

# download PACKAGE: into a folder of its own; prints the file. Two makes at a
# time may want the same package: one of them downloads.
download() {
	local package=$1 deb
	mkdir -p "$top/build/vm/deb/$package"
	(
		flock 8
		cd "$top/build/vm/deb/$package"
		deb=$(compgen -G "*.deb" | head -1) || true
		if [ -z "$deb" ]; then
			echo "deps: downloading $package" >&2
			apt-get -qq -o APT::Sandbox::User=root download "$package" >&2 ||
				{ refresh_lists; apt-get -qq -o APT::Sandbox::User=root download "$package" >&2; } ||
				fail "cannot download $package; are Debian's sources reachable?"
			deb=$(compgen -G "*.deb" | head -1)
		fi
		echo "$PWD/$deb"
	) 8> "$top/build/vm/deb/$package/lock"
}

# The packages of a kernel's headers, by name.
header_packages() {
	apt-cache depends "linux-headers-$1" |
		awk -v first="linux-headers-$1" 'BEGIN { print first }
			$1 == "Depends:" && $2 ~ /^linux-(headers|kbuild)-/ { print $2 }'
}

# The makefile of Debian's headers names its twin by an absolute path.
unpack_headers() {
	local release dir package
	release=$(release "$1")
	if [ -d "/lib/modules/$release/build" ]; then
		echo "/lib/modules/$release/build"
		return
	fi
	dir=$top/build/vm/headers/$release
	mkdir -p "$dir"
	(
		flock 8
		[ -e "$dir/ready" ] && exit
		[ -n "$(apt-cache show "linux-headers-$release" 2> /dev/null)" ] || refresh_lists
		for package in $(header_packages "$release"); do
			dpkg-deb -x "$(download "$package")" "$dir"
		done
		sed -i "s|/usr/src/|$dir/usr/src/|" "$dir/usr/src/linux-headers-$release/Makefile"
		touch "$dir/ready"
	) 8> "$dir/lock"
	echo "$dir/usr/src/linux-headers-$release"
}

wanted() {
	case $1 in
	headers-*) [ -d "/lib/modules/${1#headers-}/build" ] || echo "make gcc linux-headers-${1#headers-}" ;;
	*) [ -n "${packages[$1]:-}" ] || fail "unknown set $1"
	   echo "${packages[$1]}" ;;
	esac
}

case ${1:-} in
image) download "linux-image-$(release "$2")"; exit ;;
headers) unpack_headers "$2"; exit ;;
release) release "$2"; exit ;;
esac

missing=()
for set in "$@"; do
	list=$(wanted "$set")
	for p in $list; do
		installed "$p" || [[ " ${missing[*]} " == *" $p "* ]] || missing+=("$p")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || fail "these packages are missing; as root: apt-get install ${missing[*]}"
echo "deps: installing ${missing[*]}"
refresh_lists
apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "${missing[@]}" > /dev/null ||
	fail "apt-get install failed"
