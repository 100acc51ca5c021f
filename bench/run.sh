#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh: make bench. Each part for itself, LIMIT seconds at most (building
# a kernel for User Mode Linux, once, is not counted); a part that fails is named and
# loses no other. What an earlier run left is put away first, so that the report
# has nothing but this run's. Fails if a part did.
set -uo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MAKELEVEL MFLAGS
dir=build/bench
limit=${LIMIT:-1200}
failed=()

# part NAME COMMAND...: its output is NAME.log
part() {
	local name=$1 began=$SECONDS rc=0
	shift
	timeout -k 10 "$limit" "$@" > "$dir/$name.log" 2>&1 < /dev/null || rc=$?
	if [ $rc = 0 ]; then
		echo "bench: $name: done in $((SECONDS - began)) s"
		return
	fi
	failed+=("$name")
	echo "bench: $name: failed with status $rc after $((SECONDS - began)) s, see $dir/$name.log:"
	tail -3 "$dir/$name.log"
}

mkdir -p $dir
rm -f $dir/{cipher,uml,path-6.12,path-6.1,bench,ktls-bench}.json $dir/memory-*.txt $dir/failed
scripts/deps.sh bench build vm module uml || exit
kernel=$(selftests/uml/kernel.sh release) && echo "bench: User Mode Linux in $kernel"
load=$(cut -d' ' -f1 /proc/loadavg)
part cipher make -s bench-cipher
part uml make -s bench-uml
for k in 6.12 6.1; do
	part path-$k make -s bench-path K=$k
	part memory-$k make -s memory K=$k
	grep '^bytes per idle' $dir/memory-$k.log > $dir/memory-$k.txt || rm -f $dir/memory-$k.txt
done
[ ${#failed[@]} = 0 ] || printf '%s\n' "${failed[@]}" > $dir/failed
LOAD=$load bench/report.sh || failed+=(report)
echo "bench: $SECONDS s, ${#failed[@]} parts failed${failed[*]:+: ${failed[*]}}"
[ ${#failed[@]} = 0 ]
