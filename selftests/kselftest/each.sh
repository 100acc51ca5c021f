#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# each.sh PROGRAM TAP [PATTERN]: every test of a program made with the kernel's
# harness (whose names match the pattern), each in a process of its own, several
# side by side, and one TAP of all. What waits out its time limit costs no time then.
# What fails there runs once more alone, and that result counts.
# Rekey tests go first, many at once: where they fail they are idle. The tests that
# move 60 MB go last, as many as there are processors.
set -u
program=$1 tap=$2 pattern=${3:-.}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# FIXTURE.VARIANT.TEST out of the harness's table of three columns.
names() {
	"$program" -l 2>&1 | sed '1s/^# /  /' | awk '
	function flush(i, j) {
		for (i = 0; i < (nv ? nv : 1); i++)
			for (j = 0; j < nt; j++)
				print fixture (nv ? "." variant[i] : "") "." test[j]
		nv = nt = 0
	}
	NR == 1 { next }
	/^---/ { flush(); next }
	{
		if ($0 ~ /^[^ ]/) fixture = $1
		v = substr($0, 22, 25); gsub(/ /, "", v); if (v) variant[nv++] = v
		t = substr($0, 48); gsub(/ /, "", t); if (t) test[nt++] = t
	}
	END { flush() }'
}

# side_by_side NUMBER WHAT: the names of its input
side_by_side() {
	local name running=0 began=$SECONDS n=0
	while read -r name; do
		[ $running -lt "$1" ] || { wait -n; running=$((running - 1)); }
		"$dir/.program" -r "$name" > "$dir/$name" 2>&1 < /dev/null &
		running=$((running + 1)) n=$((n + 1))
	done
	wait
	echo "# $n $2 in $((SECONDS - began)) s"
}

names | grep -P -- "$pattern" > "$dir/.names"
cp "$program" "$dir/.program"		# into memory: starting it takes longer than most tests
side_by_side 16 "rekey tests" < <(grep 'rekey' "$dir/.names")
side_by_side 4 "others" < <(grep -v 'rekey\|mutliproc' "$dir/.names")
side_by_side "$(nproc)" "that move 60 MB" < <(grep 'mutliproc' "$dir/.names")

# What failed beside others, for want of time or of a port that another test had just taken, runs again alone.
grep -v 'rekey' "$dir/.names" | while read -r name; do
	grep -q '^ok 1 ' "$dir/$name" || echo "$name"
done > "$dir/.again"
side_by_side 1 "once more, alone" < "$dir/.again"

# A process that left no result died in its test.
awk -v names="$dir/.names" -v dir="$dir" '
	BEGIN {
		print "TAP version 13"
		while ((getline name < names) > 0) {
			n++
			result = "not ok 1 " name " # its process died"
			text = ""
			while ((getline line < (dir "/" name)) > 0) {
				if (line ~ /^(not )?ok 1 /) result = line
				else if (line !~ /^(TAP version|1\.\.|# (Starting|PASSED|FAILED|Totals))/) text = text line "\n"
			}
			sub(/ok 1 /, "ok " n " ", result)
			printf "%s%s\n", text, result
			if (result ~ /^not/) failed++
			else if (result ~ /# (SKIP|XFAIL)/) skipped++
			else passed++
		}
		print "1.." n + 0
		print "# Totals: pass:" passed + 0 " fail:" failed + 0 " skip:" skipped + 0
	}' > "$tap"
