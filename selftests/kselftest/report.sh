#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# report.sh NET-TLS.TAP KTLS.TAP: what differs, what is skipped and why, and the
# last line: net/tls A passed of T; ktls B passed of T. Fails if a test that net/tls
# passes does not pass on ktls, or if ktls was given fewer tests.
set -u
base=$1 ours=$2

# all FILE: name of each test, its verdict (ok, skip, fail), and the reason of a skip
all() {
	sed -nE 's/^(not )?ok [0-9]+ ([^ ]+)( # (SKIP|XFAIL)( .*)?)?$/\2\t\1\4\t\5/p' "$1" |
		awk -F '\t' -v OFS='\t' '{ v = "ok"; if ($2 ~ /^not/) v = "fail"; else if ($2) v = "skip"; print $1, v, $3 }' | sort
}
names() { all "$1" | awk -F '\t' -v v="$2" '$2 == v { print $1 }'; }
passed() { names "$1" ok | wc -l; }
total() { all "$1" | wc -l; }
list() { sed "s|^|$1: |"; }

# FIXTURE.VARIANT: number of tests, and their names unless they are many.
by_variant() {
	awk -F . '
	{ v = $1; for (i = 2; i < NF; i++) v = v "." $i; n[v]++; names[v] = names[v] " " $NF }
	END { for (v in n) print v ": " n[v] (n[v] > 12 ? " tests" : names[v]) }' | sort
}
# What a kernel without a cipher fails: all tests of its variants.
reason_of() {
	case $1 in
	*sm4*) echo "this kernel is built without SM4" ;;
	*aria*) echo "this kernel is built without ARIA" ;;
	*) echo "no reason known" ;;
	esac
}

both=$(comm -12 <(names "$base" fail) <(names "$ours" fail))
[ -z "$both" ] || by_variant <<< "$both" | while read -r line; do
	echo "fails on both: $line ($(reason_of "$line"))"
done
all "$ours" | awk -F '\t' '$2 == "skip" { print "skipped on ktls: " $1 " (" $3 ")" }'
comm -13 <(names "$base" ok) <(names "$ours" ok) | by_variant | list "passes on ktls only"
lost=$(comm -23 <(names "$base" ok) <(names "$ours" ok))
[ -z "$lost" ] || list "passes on net/tls only" <<< "$lost"
missing=$(comm -23 <(all "$base" | cut -f1) <(all "$ours" | cut -f1))
[ -z "$missing" ] || list "never ran on ktls" <<< "$missing"
echo "net/tls $(passed "$base") passed of $(total "$base"); ktls $(passed "$ours") passed of $(total "$ours")"
[ "$(passed "$ours")" -gt 0 ] && [ -z "$lost$missing" ]
