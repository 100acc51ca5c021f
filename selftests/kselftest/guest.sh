#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh net-tls|ktls PROGRAM TAP [PATTERN]: in the guest, run mainline's
# selftest on one of the two modules and leave its TAP in a file.
set -u
which=$1 program=$2 tap=$3; shift 3

# The algorithms first: loading one takes longer than some tests wait. After that
# the kernel need not ask modprobe, for each test anew, for those that it lacks.
for m in aesni_intel gcm ccm ctr ghash_generic ghash_clmulni_intel chacha20poly1305 chacha_generic \
	poly1305_generic chacha_x86_64 poly1305_x86_64 sm4_generic aria_generic; do
	modprobe -q "$m"
done
case $which in
net-tls) module=tls; modprobe tls ;;
ktls) module=ktls; insmod "$KTLS_KO" drop_in=1 ;;
esac || { echo "kselftest: $which does not load"; exit 1; }
echo > /proc/sys/kernel/modprobe

"$(dirname "$0")/each.sh" "$program" "$tap" "$@"

# The last sockets die a moment after their processes.
for _ in $(seq 50); do
	rmmod $module 2> /dev/null && exit 0
	sleep 0.1
done
echo "kselftest: $which: $(rmmod $module 2>&1)"
exit 1
