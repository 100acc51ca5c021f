#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh PROGRAM: under valgrind with the reasoned suppressions. If a case
# fails, what memcheck saw stands behind the results.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
valgrind -q --suppressions="$(dirname "$0")/nettle.supp" --log-file="$log" --num-callers=20 "$@"
rc=$?
[ $rc = 0 ] || sed 's/^/# /' "$log"
exit $rc
