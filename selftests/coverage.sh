#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# coverage.sh: lines of the agent that the unit tests run, by gcov. Everything is
# built a second time, into build/cov, without sanitizers. Files
# below 90 % are named; the last line is for each of the three folders that
# strangers' bytes go through.
set -eo pipefail
cd "$(dirname "$0")/.."
out=build/cov
find "$out" -name '*.gcda' -delete 2> /dev/null || true
make -s build/unit/pki/done build/unit/pki/ocsp/done
# keeper_test's sandbox would not let the counts be written.
programs=$(for t in selftests/unit/*_test.c; do echo "$out/unit/$(basename "$t" .c)"; done | grep -v keeper_test)
# shellcheck disable=SC2086
make -s B="$out" SAN='-O1 -g --coverage' $programs
: > build/coverage.log
for t in $programs; do
	"$t" >> build/coverage.log 2>&1 || echo "$(basename "$t") failed, see build/coverage.log"
done

# "File 'agent/x/y.c'" and "Lines executed:97.50% of 80", in pairs.
gcov -n $(find "$out"/asan/agent/{handshake,ext,x509} -name '*.gcda') 2> /dev/null |
	awk -F"'" '
	/^File/ { file = $2 }
	/^Lines executed/ && file ~ /^agent\/(handshake|ext|x509)\/[^\/]*\.c$/ {
		split($0, a, /[:% ]+/); n = a[5]; hit = a[3] * n / 100
		split(file, dir, "/"); all[dir[2]] += n; done[dir[2]] += hit
		if (a[3] < 90) printf "%5.1f %% of %4d  %s\n", a[3], n, file
		file = ""
	}
	END {
		printf "lines: handshake %.1f %%, ext %.1f %%, x509 %.1f %%\n", 100 * done["handshake"] / all["handshake"],
			100 * done["ext"] / all["ext"], 100 * done["x509"] / all["x509"]
	}'
