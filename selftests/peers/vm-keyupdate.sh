#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-keyupdate.sh: KeyUpdates of OpenSSL in both roles, wanted back (K) or not
# (k), and of GnuTLS; the application sees data only. Slow where emulated, so run by hand:
# make vm RUN=selftests/peers/vm-keyupdate.sh. session_test has updates that the agent is too slow for.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

# The module saw as many as the peer made, and opened every record.
rekeys() { # BEFORE EXPECTED
	local now
	now=$(stat_of RxRekeys)
	[ $((now - $1)) = "$2" ] || { echo "$((now - $1)) updates of the peer, not $2"; return 1; }
	[ "$(stat_of RxDecryptErrors)" = "$errors" ] || { echo "a record did not decrypt"; return 1; }
}

# s_client's commands are single letters at the start of a line of their own.
client_updates() {
	local before
	before=$(stat_of RxRekeys)
	: > "$work/out"
	{
		until_true 40 grep -aq "Verify return code" "$work/out"
		sleep 1
		for c in "$@"; do echo "$c"; sleep "$pace"; done
		printf 'GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n'
		sleep 3
	} | timeout 60 openssl s_client -connect "127.0.0.1:$web" -servername example.org \
		-CAfile "$ca/ca.pem" > "$work/out" 2>&1
	grep -a "the page" "$work/out" || { tail -5 "$work/out"; return 1; }
	rekeys "$before" $#
}

# rekey1: the peer's own keys; rekey: ours as well.
gnutls_updates() {
	local before
	before=$(stat_of RxRekeys)
	: > "$work/out"
	{
		until_true 40 grep -aq "Handshake was completed" "$work/out"
		for c in "$@"; do sleep "$pace"; echo "^$c^"; done
		sleep "$pace"
		printf 'GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n'
		until_true 40 grep -aq "the page" "$work/out"
	} | timeout 90 gnutls-cli --inline-commands -p "$web" --x509cafile "$ca/ca.pem" --sni-hostname example.org \
		--verify-hostname example.org 127.0.0.1 > "$work/out" 2>&1
	grep -a "the page" "$work/out" || { tail -5 "$work/out"; return 1; }
	rekeys "$before" $#
}

# What ktls-cat wrote, s_server prints, and the other way round.
server_updates() {
	local before p
	p=$((port += 1))
	: > "$work/client"
	: > "$work/err"
	before=$(stat_of RxRekeys)
	{
		until_true 40 grep -q "^session" "$work/err"
		sleep 1
		for c in "$@"; do echo "$c"; sleep "$pace"; done
		echo "from the server"
		until_true 40 grep -aq "from the client" "$work/server"
		echo Q
	} | timeout 60 openssl s_server -accept "$p" -cert "$ca/rsa.pem" -key "$ca/rsa.key" > "$work/server" 2>&1 &
	until_true 240 listening "$p" || return 1
	{ until_true 40 grep -aq "from the server" "$work/client"; echo "from the client"; sleep 2; } |
		timeout 60 "$bin/ktls-cat" -v -T test -n example.org 127.0.0.1 "$p" > "$work/client" 2> "$work/err"
	wait $!
	grep -a "from the server" "$work/client" || { cat "$work/server"; return 1; }
	grep -a "from the client" "$work/server" || { cat "$work/server"; return 1; }
	rekeys "$before" $#
}

port=45100 pace=1.5	# two commands in one read are one to openssl
mkdir www
echo "the page" > www/page
errors=$(stat_of RxDecryptErrors)

serve $port "$bin/ktls-serve" -r www -p $port -i rsa
web=$port
try "s_client updates its keys" client_updates k k
try "s_client, some to be answered" client_updates K k K
try "gnutls-cli updates its keys" gnutls_updates rekey1 rekey1
try "gnutls-cli, some to be answered" gnutls_updates rekey rekey1 rekey
try "s_server updates its keys" server_updates k k
try "s_server, some to be answered" server_updates K k K
stop "$server"
try "no session, upcall or channel is left" idle
done_testing
