#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh PROGRAM DIR [PATTERN]: in the guest, run mainline's selftest on Debian's
# net/tls, then on ours, and leave net-tls.tap and ktls.tap in DIR.
# Environment: ONLY=net-tls or ktls for one of them; KTLS_KO; TLS_KO where modprobe finds no tls.
set -u
program=$1 dir=$2; shift 2
rc=0

# The last sockets die a moment after their processes.
unload() {
	for _ in $(seq 50); do
		rmmod "$1" 2> /dev/null && return
		sleep 0.1
	done
	echo "kselftest: $(rmmod "$1" 2>&1)"
	return 1
}

# run net-tls|ktls MODULE HOW-TO-LOAD-IT...
run() {
	local which=$1 module=$2; shift 2
	[ -z "${ONLY:-}" ] || [ "$ONLY" = "$which" ] || return 0
	"$@" || { echo "kselftest: $which does not load"; return 1; }
	echo "# $which"
	"$(dirname "$0")/each.sh" "$program" "$dir/$which.tap" "${pattern[@]}"
	unload "$module"
}

pattern=("$@")
# The algorithms first: loading one takes longer than some tests wait. After that
# the kernel need not ask modprobe, for each test anew, for those that it lacks.
[ -z "${TLS_KO:-}" ] || insmod "$TLS_KO"
for m in aesni_intel gcm ccm ctr ghash_generic ghash_clmulni_intel chacha20poly1305 chacha_generic \
	poly1305_generic chacha_x86_64 poly1305_x86_64 sm4_generic aria_generic tls; do
	modprobe -q "$m"
done
echo > /proc/sys/kernel/modprobe 2> /dev/null
run net-tls tls true || rc=1
rmmod tls 2> /dev/null
run ktls ktls insmod "$KTLS_KO" drop_in=1 || rc=1
exit $rc
