#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml.sh PROGRAM...: the module's tests in User Mode Linux with KASAN and lockdep,
# then once more, shorter, under kmemleak. Last line: N passed, N failed, N skipped; reports N
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
kernel=$("$here/kernel.sh" debug) || exit $?
make -s module ARCH=um KREL=uml-debug KDIR="$kernel" > build/uml/module.log 2>&1 ||
	{ cat build/uml/module.log >&2; exit 1; }
module=$top/build/kmod/uml-debug/ktls.ko
log=build/uml/uml.log
: > "$log"
reports=0 failed=0

# run KERNEL_ARGS SCRIPT ARGS...
run() {
	local args=$1 rc; shift
	"$here/run.sh" -k debug -o "$args" "$@" 2>&1 | tee -a "$log"
	rc=${PIPESTATUS[0]}
	[ "$rc" = 126 ] && reports=$((reports + 1))
	[ "$rc" = 124 ] || [ "$rc" = 125 ] && failed=$((failed + 1))
}

run kmemleak=off "$here/guest.sh" "$module" "$@"
LEAKS_RUN=${LEAKS_RUN:-1}
if [ "$LEAKS_RUN" = 1 ]; then
	printf '#!/bin/bash\nLEAKS=1 exec %q %q' "$here/guest.sh" "$module" > build/uml/leaks.sh
	printf ' %q' "${1:-true}" >> build/uml/leaks.sh
	chmod +x build/uml/leaks.sh
	run kmemleak=on build/uml/leaks.sh
fi
passed=$(grep -cE '^ok ' "$log")
skipped=$(grep -ciE '^ok .*# skip' "$log")
failed=$((failed + $(grep -cE '^not ok ' "$log")))
echo "$((passed - skipped)) passed, $failed failed, $skipped skipped; reports $reports"
[ "$failed" = 0 ] && [ "$reports" = 0 ]
