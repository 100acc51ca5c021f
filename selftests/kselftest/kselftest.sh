#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kselftest.sh SERIES|uml [PATTERN]: see build.mk. TAP and the report go to
# build/kselftest/SERIES/. Environment: LIMIT= seconds for the run;
# ONLY=net-tls or ktls runs one and compares with the other's last TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
series=$1; shift
out=$top/build/kselftest/$series
mkdir -p "$out"

# The guest's command: $1 is the module, $2 the directory that the guest writes to.
in_guest() {
	local module=$1 dir=$2; shift 2
	printf ' %q' env KTLS_KO="$module" TLS_KO="${tls:-}" ONLY="${ONLY:-}" \
		"$here/guest.sh" "$top/build/kselftest/tls" "$dir" "$@"
}

debian() {
	NOMODULE=1 NOAGENT=1 SMP=2 TIMEOUT=${LIMIT:-10800} VM_DIR=$out/run "$top/selftests/vm/boot.sh" "$series" \
		"$(in_guest "$top/build/kmod/$(cat "$top/build/vm/$series/release")/ktls.ko" /run/vm "$@")"
}

# User Mode Linux 6.12 has SM4 and ARIA.
uml() {
	local kernel tls
	kernel=$("$top/selftests/uml/kernel.sh" release) || return
	tls=$kernel/net/tls/tls.ko
	mkdir -p "$out/run"
	in_guest "$top/build/kmod/uml-release/ktls.ko" "$out/run" "$@" > "$out/run/command"
	OUT=$out/run "$top/selftests/uml/run.sh" -k release -t "${LIMIT:-3600}" /bin/bash "$out/run/command"
}

rc=0
if [ "$series" = uml ]; then uml "$@" || rc=$?; else debian "$@" || rc=$?; fi
mv "$out"/run/*.tap "$out/" 2> /dev/null
[ $rc = 0 ] || echo "kselftest: exit status $rc, see $out/run"

"$here/report.sh" "$out/net-tls.tap" "$out/ktls.tap" > "$out/report" || rc=1
cat "$out/report"
exit $rc
