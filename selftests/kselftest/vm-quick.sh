#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-quick.sh: a part of mainline's selftest on drop_in=1, in a guest without the
# agent: two variants, without the tests that move 60 MB. Loads the module anew and
# puts it back. All of it: make kselftest.
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$top/build/kselftest/tls
reload=$top/selftests/vm/reload.sh
args=()
for t in even readers writers sendpage_even sendpage_readers sendpage_writers; do
	args+=(-T "mutliproc_$t")
done
args+=(-t non_established -t keysizes -t no_pad -t tls_v6ops -t prequeue -v 13_aes_gcm -v 12_chacha)

[ -x "$program" ] || { echo "1..1"; echo "ok 1 - kselftest # SKIP build/kselftest/tls is not built"; exit; }
$reload drop_in=1 || { echo "1..1"; echo "not ok 1 - the module loads with drop_in=1"; exit 1; }
"$program" "${args[@]}"
rc=$?
$reload
exit $rc
