#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml.sh PROGRAM...: the module's tests in User Mode Linux with KASAN and lockdep,
# the record fuzzer for FUZZ_SECONDS (60) among them; then some of them once more
# under kmemleak, which is five times slower: LEAKS="name...", LEAKS= for none.
# Last line: N passed, N failed, N skipped; reports N
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
kernel=$("$here/kernel.sh" debug) || exit $?
make -s module ARCH=um KREL=uml-debug KDIR="$kernel" > build/uml/module.log 2>&1 ||
	{ cat build/uml/module.log >&2; exit 1; }
module=$top/build/kmod/uml-debug/ktls.ko
leaks=${LEAKS-session_test record_test fault_test}
log=build/uml/uml.log
: > "$log"
reports=0 broken=0

# run SECONDS KERNEL_ARGS COMMAND...: in the guest, with what the programs read from the environment
run() {
	local limit=$1 args=$2 rc; shift 2
	"$here/run.sh" -k debug -t "$limit" -o "$args" /usr/bin/env KTLS_KO="$module" \
		FUZZ_SECONDS="${FUZZ_SECONDS:-60}" FUZZ_SEED="${FUZZ_SEED:-}" "$@" 2>&1 | tee -a "$log"
	rc=${PIPESTATUS[0]}
	[ "$rc" = 126 ] && reports=$((reports + 1))
	[ "$rc" = 124 ] || [ "$rc" = 125 ] && broken=$((broken + 1))
}

# passed failed skipped; cmocka says "not ok" of what it skips
count() {
	awk '
	/^(not )?ok / {
		if (tolower($0) ~ /# *skip/) skipped++
		else if ($1 == "not") failed++
		else passed++
	}
	/^1\.\.0 # *SKIP/ { skipped++ }
	END { print passed + 0, failed + 0, skipped + 0 }' "$log"
}

run 1800 kmemleak=off "$here/guest.sh" "$module" "$@"
# The records once more by AES-NI. (The crypto API has its turn in the VMs: in C it takes minutes here.)
for gcm in ${PATHS-aesni}; do
	run 600 kmemleak=off MODPARAM="gcm=$gcm" "$here/guest.sh" "$module" "$top"/build/kernel/{record,read}_test
done
programs=()
for name in $leaks; do programs+=("$top/build/kernel/$name"); done
[ -z "$leaks" ] || run 1800 kmemleak=on LEAKS=1 LIMIT=800 "$here/guest.sh" "$module" "${programs[@]}"
read -r passed failed skipped < <(count)
failed=$((failed + broken))
echo "$passed passed, $failed failed, $skipped skipped; reports $reports"
[ "$failed" = 0 ] && [ "$reports" = 0 ]
