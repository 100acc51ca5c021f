# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced after vm-lib.sh: a Debian of its own below $root, with the packages of
# build/deb. ROOT=folder takes one that debootstrap made before.
have debootstrap || { echo "1..0 # SKIP debootstrap is not installed"; exit 4; }
compgen -G "$top/build/deb/*.deb" > /dev/null || { echo "1..0 # SKIP no packages: make deb"; exit 4; }
root=${ROOT:-$top/build/packages}

leave() {
	umount "$root/proc" 2> /dev/null
	finish
}
trap leave EXIT

inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"; }

debian() {
	[ -x "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase bookworm "$root" || return
	cp -r /etc/apt/sources.list* "$root/etc/apt/"
	cp /etc/resolv.conf "$root/etc/"
	mount -t proc proc "$root/proc" || return
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	rm -rf "$root/packages"
	mkdir "$root/packages"
	find "$top/build/deb" -name "*.deb" ! -name "*-dbgsym_*" -exec cp {} "$root/packages/" \;
	inside apt-get -q update
}
install() { # PACKAGE...: ours, and these
	inside apt-get -q install -y --no-install-recommends linux-headers-amd64 gcc libc6-dev "$@" &&
		inside sh -c 'apt-get -q install -y --reinstall --no-install-recommends /packages/*.deb' || return
	kernel=$(inside sh -c 'ls /lib/modules' | sort -V | tail -1)
}
