#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh: the packages of build/deb in a Debian of their own (debootstrap,
# chroot): installed, used, the module built by DKMS, units looked at, removed, purged.
# As root. ROOT=folder takes one that debootstrap made before.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP chroot: run as root"; exit 4; }
# shellcheck source=selftests/peers/vm-lib.sh
. "$top/selftests/peers/vm-lib.sh"
version=$(sed -n '1s/.*(\(.*\)-.*/\1/p' "$top/debian/changelog")
packages=(ktls-dkms ktlsd libktls0 libktls-dev ktls-tools)
exposure_limit=50	# tenths, as systemd-analyze takes it

# shellcheck source=selftests/packages/root-lib.sh
. "$top/selftests/packages/root-lib.sh"
whole() { # what dpkg has noted is what lies there
	local p
	for p in "${packages[@]}"; do
		[ -z "$(inside dpkg -V "$p")" ] || { inside dpkg -V "$p"; return 1; }
	done
}
files() {
	local f
	for f in /usr/sbin/ktlsd /usr/sbin/ktlsctl /usr/bin/ktls-cat /usr/bin/ktls-serve /usr/bin/ktls-run /etc/ktls/ktlsd.conf \
		/lib/systemd/system/ktlsd.service /usr/include/ktls.h /usr/include/linux/ktls.h \
		/usr/lib/x86_64-linux-gnu/libktls.so.0 /usr/lib/x86_64-linux-gnu/pkgconfig/ktls.pc \
		/usr/share/bash-completion/completions/ktlsctl /usr/lib/modules-load.d/ktls.conf \
		"/usr/src/ktls-$version/dkms.conf" /usr/share/man/man{1/ktls-cat.1,3/libktls.3,5/ktlsd.conf.5,7/ktls.7,8/ktlsd.8,8/ktlsctl.8}.gz; do
		inside test -e "$f" || { echo "$f is missing"; return 1; }
	done
}
user() { inside getent passwd ktlsd | grep -q nologin; }
runs() {
	inside ktls-cat -h > got 2>&1
	grep -q "usage: ktls-cat" got || { cat got; return 1; }
	! inside ktlsctl status > got 2>&1		# nobody serves here, and it says so
	grep -q . got || return
	inside ldd /usr/sbin/ktlsd > got && ! grep "not found" got
}
compiles() {
	printf '#include <ktls.h>\nint main(void) { return !ktls_params_new(); }\n' > "$root/packages/try.c"
	inside gcc -o /packages/try /packages/try.c -lktls && inside /packages/try
}
module() {
	inside dkms status "ktls/$version" -k "$kernel" | grep -q installed ||
		inside dkms install "ktls/$version" -k "$kernel" || { cat "$root/var/lib/dkms/ktls/$version/build/make.log"; return 1; }
	inside modinfo -k "$kernel" ktls > got || return
	grep -q "^license: *GPL" got && grep -q "^vermagic: *$kernel " got || { cat got; return 1; }
}
# What a Debian as small as this one lacks is not the unit's fault: systemd's own units, kill, man.
units() {
	systemd-analyze --root="$root" verify "$root/lib/systemd/system/ktlsd.service" > got 2>&1
	! grep -i ktlsd got | grep -vE "sysinit.target not found|/bin/kill is not|Command 'man "
}
exposure() {
	systemd-analyze security --offline=true --threshold=$exposure_limit --root="$root" ktlsd.service > got 2>&1 ||
		{ tail -3 got; return 1; }
}
again() { inside sh -c 'apt-get -q install -y --reinstall --no-install-recommends /packages/ktlsd_*.deb' && whole; }
removed() {
	inside apt-get -q remove -y "${packages[@]}" || return
	! inside test -e /usr/sbin/ktlsd && ! inside modinfo -k "$kernel" ktls > /dev/null 2>&1 || return
	inside test -e /etc/ktls/ktlsd.conf			# configuration stays
}
purged() {
	inside dpkg --purge "${packages[@]}" || return
	find "$root"/etc "$root"/lib "$root"/usr "$root"/var/lib -path "$root/usr/src/linux*" -prune -o -iname '*ktls*' -print > got
	[ ! -s got ] || { cat got; return 1; }
}

try "a Debian of its own" debian
try "all packages are installed" install
try "nothing of them is changed or missing" whole
try "files are where they belong" files
try "the workers' user is there" user
try "programs run" runs
try "a program is compiled with the library" compiles
try "DKMS builds the module" module
try "the unit is valid" units
try "the unit is confined" exposure
try "installed once more, as an upgrade does" again
try "removed: the configuration stays" removed
try "purged: nothing stays" purged
done_testing
