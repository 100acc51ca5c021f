#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kselftest.sh SERIES [PATTERN]: see build.mk. TAP and the report go to
# build/kselftest/SERIES/. Environment: LIMIT= seconds for each of the two runs;
# ONLY=net-tls or ktls runs one and compares with the other's last TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
series=$1; shift
out=$top/build/kselftest/$series
mkdir -p "$out"
module=$top/build/kmod/$(cat "$top/build/vm/$series/release")/ktls.ko

# run net-tls|ktls [PATTERN]
run() {
	local which=$1 rc=0; shift
	[ -z "${ONLY:-}" ] || [ "$ONLY" = "$which" ] || return 0
	NOMODULE=1 NOAGENT=1 SMP=2 TIMEOUT=${LIMIT:-7200} VM_DIR=$out/$which \
		"$top/selftests/vm/boot.sh" "$series" \
		"KTLS_KO=$(printf %q "$module") $(printf ' %q' "$here/guest.sh" "$which" "$top/build/kselftest/tls" /run/vm/tap "$@")" || rc=$?
	mv "$out/$which/tap" "$out/$which.tap" 2> /dev/null
	[ $rc = 0 ] || echo "kselftest: $which: exit status $rc, see $out/$which"
	return $rc
}

rc=0
run net-tls "$@" || rc=1
run ktls "$@" || rc=1
"$here/report.sh" "$out/net-tls.tap" "$out/ktls.tap" > "$out/report" || rc=1
cat "$out/report"
exit $rc
