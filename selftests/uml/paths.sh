#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paths.sh PROGRAM...: the module's record tests in User Mode Linux, once for each
# way to AES-GCM, forced by module parameter: VAES, AES-NI, the crypto API, and
# ours where vector registers are never free.
# Last line: N passed, N failed, N skipped
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
kernel=$("$here/kernel.sh" debug) || exit $?
make -s module ARCH=um KREL=uml-debug KDIR="$kernel" > build/uml/module.log 2>&1 ||
	{ cat build/uml/module.log >&2; exit 1; }
module=$top/build/kmod/uml-debug/ktls.ko
log=build/uml/paths.log
: > "$log"
broken=0

for path in ${PATHS-gcm=vaes gcm=aesni gcm=generic simd=0}; do
	if [ "$path" = gcm=vaes ] && ! grep -q -w vpclmulqdq /proc/cpuinfo; then
		echo "ok - $path # SKIP this CPU has no VPCLMULQDQ" | tee -a "$log"
		continue
	fi
	echo "# $path" | tee -a "$log"
	"$here/run.sh" -k debug -t 1200 -o kmemleak=off /usr/bin/env KTLS_KO="$module" LIMIT=500 \
		MODPARAM="$path" "$here/guest.sh" "$module" "$@" 2>&1 | tee -a "$log"
	[ "${PIPESTATUS[0]}" -lt 124 ] || broken=$((broken + 1))
done
awk -v broken="$broken" '
/^(not )?ok / {
	if (tolower($0) ~ /# *skip/) skipped++
	else if ($1 == "not") failed++
	else passed++
}
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed + broken, skipped
	exit failed + broken > 0 || !passed
}' "$log"
