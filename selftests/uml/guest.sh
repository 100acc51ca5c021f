#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh MODULE PROGRAM...: in the guest, load the module and run each test
# program (TAP on stdout), at most LIMIT seconds each. MODPARAM: the module's
# parameters. With LEAKS=1 ask kmemleak afterwards.
set -u
module=$1; shift
# shellcheck disable=SC2086
insmod "$module" ${MODPARAM:-} || exit 1
rc=0
for program; do
	echo "# $(basename "$program")"
	began=$SECONDS
	CMOCKA_MESSAGE_OUTPUT=TAP timeout "${LIMIT:-300}" "$program"
	status=$?
	[ $status = 0 ] || rc=1
	echo "# $(basename "$program") took $((SECONDS - began)) s"
	[ $status -lt 124 ] || echo "not ok - $(basename "$program") ended with status $status"
done
echo "# counters that must be 0 now"
sleep 1
if awk '/^KtlsCurr/ && $2 { print "# " $0; bad = 1 } END { exit bad }' /proc/net/ktls_stat; then
	echo "ok - every gauge is back at 0"
else
	echo "not ok - gauges"; rc=1
fi
rmmod ktls && echo "ok - rmmod" || { echo "not ok - rmmod"; rc=1; }
if [ "${LEAKS:-0}" = 1 ]; then
	leaks=/sys/kernel/debug/kmemleak
	sleep 6; echo scan > $leaks; sleep 6; echo scan > $leaks
	if [ -s $leaks ]; then echo "not ok - kmemleak"; cat $leaks; rc=1; else echo "ok - kmemleak finds nothing"; fi
fi
exit $rc
