#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-early.sh: early data through kernel and agent, both roles, with OpenSSL
# at the other end: what came early is told apart, what was refused is said so.
# In a guest with the module; starts an agent of its own.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
early_py="/usr/bin/python3 -B $top/selftests/peers/early.py"
config=$work/ktlsd.conf
sed 's/^workers = .*/&\nearly-data = 1000/' "$ca/ktlsd.conf" > "$config"
[ -d /sys/module/ktls ] || insmod "$VM_MODULE" || exit 1
pgrep -x ktlsd > /dev/null && $agent stop
$agent start "$config" || exit 1
echo "early bird" > early.txt

says() { grep -qx -- "$1" "$2" || { cat "$2"; return 1; }; }
listens() { ss -ltn "sport = :$1" | grep -q LISTEN; }
alive() { until_true 60 listens "$1"; }

answered() { grep -qs "you said $1" got; }

s_client() { # TEXT OPTION...
	rm -f got
	{ echo "$1"; until_true 60 answered "$1" > /dev/null; } | timeout 120 openssl s_client -connect 127.0.0.1:4701 -servername example.org -tls1_3 \
		-CAfile "$ca/ca.pem" -verify_return_error "${@:2}" > got 2>&1
}

served_with_ticket() { s_client later -sess_out session && says "early none " served && says "read later" served; }
served_early() {
	s_client later -sess_in session -early_data early.txt
	says "Early data was accepted" got && says "early accepted early bird" served && says "you said later" got
}
served_once() {
	s_client afterwards -sess_in session -early_data early.txt
	says "Early data was rejected" got && says "early rejected " served && says "read afterwards" served
}

$early_py serve 4701 500 > served 2>&1 &
servers+=($!)
try "a server of ktls is there" alive 4701
try "server: a first connection has no early data, and gives a ticket" served_with_ticket
try "server: early data are taken, and not among what is read" served_early
try "server: a ticket's early data are taken once" served_once

mkfifo command
exec 3<> command
openssl s_server -accept 4702 -cert "$ca/ecdsa.pem" -key "$ca/ecdsa.key" -tls1_3 -early_data -max_early_data 500 -quiet \
	< command > theirs 2>&1 &
servers+=($!)
ask() { # WORD
	local before
	before=$(grep -c "early bird" theirs)
	{ until_true 60 more_birds "$before"; echo answer >&3; } &
	timeout 120 $early_py ask 4702 example.org test "early bird" > got 2>&1
	says "early $1" got && says "got answer" got
}
more_birds() { [ "$(grep -c "early bird" theirs)" -gt "$1" ]; }
try "a server of OpenSSL is there" alive 4702
try "client: without a ticket the data go after the handshake" ask none
try "client: with a ticket they go along with the hello" ask accepted

$agent stop
done_testing
