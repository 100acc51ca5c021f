#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-mid-transfer.sh: OpenSSL and GnuTLS, in both roles, change keys and send
# tickets while both sides transfer; the program reads, and writes or uses
# sendfile, and notices nothing. Then every alert after the handshake, and what
# TLS 1.2 has in its place: a HelloRequest is ignored. QUICK=1 takes some of
# each kind. In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=45900
program="/usr/bin/python3 $top/selftests/peers/mid.py"
every=$((${MID_KB:-2048} << 7))	# an eighth of the file
head -c $((${MID_KB:-2048} << 10)) /dev/urandom > file

# The peer made seven or eight updates, and its tickets if it is a server: the
# module saw each of them, changed its own keys for every second one, and every record opened.
seen() { # ROLE-OF-PEER UPDATES TICKETS
	local rx tx
	rx=$(($(stat_of RxRekeys) - rx_before)) tx=$(($(stat_of TxRekeys) - tx_before))
	echo "the peer: $2 updates, $3 tickets; the module: $rx of the peer's, $tx of its own"
	[ "$2" -ge 7 ] && [ "$rx" = "$2" ] && [ $tx -ge 1 ] && [ $tx -le $(($2 / 2)) ] || return
	[ "$1" = client ] || [ "$3" = "$2" ] || return
	[ "$(stat_of RxDecryptErrors)" = "$errors" ]
}

transfer() { # LIBRARY ROLE-OF-PEER WAY
	local pid rc
	port=$((port + 1)) rx_before=$(stat_of RxRekeys) tx_before=$(stat_of TxRekeys)
	if [ "$2" = server ]; then
		"$bin/mid-peer" "$1" server $port file $every "$ca/rsa.pem" "$ca/rsa.key" > peer 2>&1 & pid=$!
		until_true 60 listening $port || { cat peer; return 1; }
		timeout 120 $program client $port "$3" file
		rc=$?
		wait $pid
	else
		timeout 120 $program server $port "$3" file & pid=$!
		until_true 60 listening $port || return
		"$bin/mid-peer" "$1" client $port file $every "$ca/ca.pem" > peer 2>&1
		rc=$?
		wait $pid
	fi
	set -- "$2" $((rc | $?)) $(sed -n 's/^\([0-9]*\) updates, \([0-9]*\) tickets$/\1 \2/p' peer)
	cat peer
	[ "$2" = 0 ] && [ $# = 4 ] && seen "$1" "$3" "$4"
}

alerts() {
	port=$((port + 1))
	# shellcheck disable=SC2086
	timeout 280 /usr/bin/python3 "$top/selftests/peers/alerts.py" $port ${QUICK:+0 90 40 80 255} > said 2>&1
	local rc=$?
	grep -v "^ok" said
	return $rc
}

# s_server asks for another handshake between two lines; the client goes on.
control_since() { [ "$(stat_of RxControl)" -gt "$1" ]; }
hello_request() {
	local rc before
	port=$((port + 1))
	: > down
	{
		until_true 60 grep -q "^session" err
		before=$(stat_of RxControl)
		echo r
		until_true 60 control_since "$before"
		echo "after the request"
		until_true 60 [ -e told ]
	} 2> /dev/null | timeout 120 openssl s_server -msg -naccept 1 -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_2 > server 2>&1 &
	until_true 60 listening $port || return
	{ until_true 60 grep -q "after the request" down; echo "from the client"; } |
		timeout 120 "$bin/ktls-cat" -v -T test -n example.org 127.0.0.1 $port > down 2> err
	rc=$?
	touch told
	wait $!
	cat err
	tail -n 20 server
	[ $rc = 0 ] && grep -q "TLS 1.2" err && [ "$(cat down)" = "after the request" ] &&
		grep -aq HelloRequest server && grep -aq "^from the client" server
}

errors=$(stat_of RxDecryptErrors)
for peer in openssl gnutls; do
	for role in client server; do
		for way in write sendfile; do
			[ -z "${QUICK:-}" ] || [ "$peer.$role.$way" = openssl.server.write ] ||
				[ "$peer.$role.$way" = gnutls.client.sendfile ] || continue
			try "$peer as $role updates in mid-transfer, the program reads and ${way}s" transfer $peer $role $way
		done
	done
done
try "every alert after the handshake" alerts
try "TLS 1.2: s_server's HelloRequest is ignored" hello_request
try "no session, upcall or channel is left" idle
done_testing
