#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tls12.sh: TLS 1.2 end to end, the agent's handshake and the module's
# records: as server with s_client and curl, as client with s_server, resumed
# both ways, another handshake refused. In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=44700

mkdir www
head -c 300000 /dev/urandom > www/file
s_client() { openssl s_client -connect "127.0.0.1:$port" -servername example.org -CAfile "$ca/ca.pem" -verify_return_error -tls1_2 "$@"; }

fetch() { # CIPHER
	timeout 100 curl -sS --tls-max 1.2 --ciphers "$1" --cacert "$ca/ca.pem" --resolve "example.org:$port:127.0.0.1" \
		"https://example.org:$port/file" | cmp - www/file
}

resumes() {
	s_client -sess_out session < /dev/null > /dev/null 2>&1
	s_client -sess_in session < /dev/null 2>&1 | tee out | grep -q '^Reused' || { cat out; return 1; }
}

# The session goes on if the peer takes no for an answer; OpenSSL gives up.
again() {
	{ echo R; until_true 20 grep -q "no renegotiation" out; } | s_client > out 2>&1
	grep -q "no renegotiation" out || { cat out; return 1; }
}

as_server() {
	local c
	serve $port "$bin/ktls-serve" --root www --port $port --identity rsa || { try "ktls-serve starts" false; return; }
	for c in ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305; do
		try "server, curl, $c" fetch $c
	done
	try "server, s_client resumes" resumes
	try "server, s_client wants another handshake" again
	stop "$server"
}

cat_says() { # TEXT: what ktls-cat says of the session, and that the peer answered
	: > out
	{ echo hello; until_true 30 grep -q olleh out; } |
		timeout 60 "$bin/ktls-cat" -v -n example.org -T test 127.0.0.1 $port > out 2> err
	grep -q "TLS 1.2" err && grep -q "$1" err && grep -q olleh out || { cat out err; return 1; }
}

as_client() {
	port=$((port + 1))
	serve $port openssl s_server -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_2 -rev
	try "client, s_server" cat_says "GCM"
	try "client, s_server, again: resumed" cat_says "resumed"
	stop "$server"
}

as_server
as_client
try "no session, upcall or channel is left" idle
done_testing
