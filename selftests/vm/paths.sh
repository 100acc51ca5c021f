#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paths.sh TEST...: in a guest that no agent has joined, programs of build/kernel once for each
# way to AES-GCM, forced by module parameter. Last line: N passed, N failed, N skipped
set -u
cd "$(dirname "$0")/../.." || exit 1
export CMOCKA_MESSAGE_OUTPUT=TAP
KTLS_KO=$PWD/build/kmod/$(uname -r)/ktls.ko
export KTLS_KO

way() {
	echo "# $1"
	if [ "$1" = gcm=vaes ] && ! grep -q -w vpclmulqdq /proc/cpuinfo; then
		echo "ok - $1 # SKIP this CPU has no VPCLMULQDQ"
		return
	fi
	insmod "$KTLS_KO" "$1" || { echo "not ok - insmod $1"; return; }
	shift
	for t; do
		echo "# $t"
		timeout 300 "build/kernel/$t" || echo "not ok - $t ends with status $?"
	done
	rmmod ktls && echo "ok - rmmod" || echo "not ok - rmmod"
}

rmmod ktls || exit	# the boot has loaded it, and what it depends on
for p in ${PATHS-gcm=vaes gcm=aesni gcm=generic simd=0}; do
	way "$p" "$@"
done 2>&1 | tee /tmp/paths.log
awk '
/^(not )?ok / {
	if (tolower($0) ~ /# *skip/) skipped++
	else if ($1 == "not") failed++
	else passed++
}
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || !passed
}' /tmp/paths.log
