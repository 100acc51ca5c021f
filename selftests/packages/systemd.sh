#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd.sh: Debian with systemd and our packages, booted under Debian's 6.1
# with the module that DKMS built there: systemd-guest.sh is what is tried in it.
# As root. ROOT=folder takes one that debootstrap made before.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP chroot: run as root"; exit 4; }
# shellcheck source=selftests/peers/vm-lib.sh
. "$top/selftests/peers/vm-lib.sh"
# shellcheck source=selftests/packages/root-lib.sh
. "$top/selftests/packages/root-lib.sh"

prepared() {
	debian && install systemd-sysv busybox curl openssl procps iproute2 || return
	modules && umount "$root/proc"
}
# Those of the kernel's package beside the one that DKMS built.
modules() {
	local release
	"$top/selftests/vm/image.sh" 6.1 && release=$(cat "$top/build/vm/6.1/release") || return
	[ -e "$root/lib/modules/$release/updates/dkms/ktls.ko" ] || { echo "DKMS built none for $release"; return 1; }
	cp -r "$top/build/vm/6.1/lib/modules/$release/." "$root/lib/modules/$release/" && inside depmod "$release"
}
prepared > "$log" 2>&1 || { echo "not ok 1 - a Debian with systemd and the packages"; sed 's/^/# /' "$log"; echo "1..1"; exit 1; }
cd "$top" || exit
NOMODULE=1 NOAGENT=1 INIT=$top/selftests/packages/systemd-init.sh MEM=${MEM:-1536M} TIMEOUT=${TIMEOUT:-1500} \
	selftests/vm/boot.sh 6.1 "$root"
