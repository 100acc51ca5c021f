#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml.sh: what make bench-uml runs: BOOTS boots of User Mode Linux with TURNS turns each, since
# where memory happens to lie in one moves its ratios by some percent. Medians over
# the boots, to build/bench/uml.json and uml.txt; "ratios" has each boot's.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=build/bench
rm -f $dir/uml.*
for ((boot = 1; boot <= ${BOOTS:-7}; boot++)); do
	selftests/uml/run.sh -k release -t 500 /usr/bin/env TURNS="${TURNS:-41}" "$PWD/bench/uml-guest.sh" > $dir/uml.$boot.out ||
		{ rc=$?; cat $dir/uml.$boot.out; exit $rc; }
	sed -n 's/^@//p' $dir/uml.$boot.out > $dir/uml.$boot.part
done
jq -s '
def median: sort | .[(length - 1) / 2 | floor];
[.[][]] | group_by(.op) | sort_by(.[0].op != "sendfile") |
	map({ op: .[0].op, size: .[0].size, tcp_mbs: (map(.tcp_mbs) | median), nettls_mbs: (map(.nettls_mbs) | median),
	      ktls_mbs: (map(.ktls_mbs) | median), ratio: (map(.ratio) | median), ratios: map(.ratio) })
' $dir/uml.*.part > $dir/uml.json
{
	sed -n '/^# Linux/p' $dir/uml.1.out
	jq -r '["op", "size", "tcp MB/s", "net/tls", "ktls", "ratio", "each boot'"'"'s"],
		(.[] | [.op, .size, .tcp_mbs, .nettls_mbs, .ktls_mbs, .ratio, (.ratios | map(tostring) | join(" "))]) | @tsv' \
		$dir/uml.json | column -t -s $'\t'
} | tee $dir/uml.txt
