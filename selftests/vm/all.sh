#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# all.sh: every test that needs a guest, as TAP, in one boot. The kernel part's
# programs are agents themselves, so they come before ktlsd joins.
# all.sh NAME... runs only these (upcall_test, vm-peers, ...).
set -o pipefail
cd "$(dirname "$0")/../.." || exit
export CMOCKA_MESSAGE_OUTPUT=TAP
module=build/kmod/$(uname -r)/ktls.ko
export VM_MODULE=${VM_MODULE:-$PWD/$module}
export KTLS_KO=$VM_MODULE
rc=0

wanted() { [ -z "$only" ] || [[ " $only " == *" $1 "* ]]; }
only="$*"

# A program that ends badly without a failed test must not go unseen.
program() { # SECONDS NAME COMMAND...
	local name=$2 limit=$1 status=0 began=$SECONDS
	wanted "$name" || return 0
	shift 2
	echo "# $name"
	timeout -k 5 "$limit" "$@" 2>&1 | tee /tmp/program || status=${PIPESTATUS[0]}
	echo "# $name took $((SECONDS - began)) s"
	[ "$status" = 0 ] && return
	rc=1
	[ "$status" != 124 ] && grep '^not ok' /tmp/program | grep -qvi '# skip' && return
	echo "1..1"
	echo "not ok 1 - $name ends with status $status"
}

for t in build/kernel/*_test; do
	[ -x "$t" ] && program 300 "$(basename "$t")" "$t"
done
# The records once more over the crypto API.
if wanted record_generic && rmmod ktls; then
	insmod "$VM_MODULE" gcm=generic
	program 300 record_generic build/kernel/record_test
	rmmod ktls
fi
[ -d /sys/module/ktls ] || insmod "$VM_MODULE"
if selftests/vm/agent.sh start; then
	program 900 vm-peers selftests/peers/vm-peers.sh
	program 600 vm-resume selftests/peers/vm-resume.sh
	program 300 vm-tls12 selftests/peers/vm-tls12.sh
	program 300 vm-tools selftests/peers/vm-tools.sh
	SERVE_MB=3 program 300 vm-serve selftests/peers/vm-serve.sh uring
	QUICK=1 program 300 vm-mid-transfer selftests/peers/vm-mid-transfer.sh
	program 300 vm-run selftests/peers/vm-run.sh
	program 300 vm-bad-input selftests/peers/vm-bad-input.sh
	program 600 vm-conformance selftests/peers/vm-conformance.sh
	program 300 vm-agent-death selftests/peers/vm-agent-death.sh
	selftests/vm/agent.sh stop
else
	echo "not ok 1 - the agent starts"
	rc=1
fi
QUICK=1 program 300 vm-options selftests/peers/vm-options.sh
QUICK=1 program 300 vm-dropin selftests/peers/vm-dropin.sh
program 300 vm-kselftest selftests/kselftest/vm-quick.sh
exit $rc
