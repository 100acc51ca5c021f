#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# relay.sh: without module and VM: the agent relays for ktls-serve and ktls-cat,
# against curl, OpenSSL and GnuTLS, KeyUpdates and cut connections included.
# As root: the agent's workers become another user.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the agent's workers change their user: run as root"; exit 4; }
# shellcheck source=selftests/peers/vm-lib.sh
. "$top/selftests/peers/vm-lib.sh"
chmod 755 "$work"
export KTLS_RELAY=$work/relay
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
web=$(free_port)
mkdir www
echo "the page" > www/page
head -c 2000000 /dev/urandom > www/big
head -c 20000 /dev/urandom > www/mid

start_agent() {
	sed "s|^control = .*|control = $work/control\nrelay = $KTLS_RELAY\nkey-log = $work/keys|" "$ca/ktlsd.conf" > conf
	cat >> conf <<-END

	[identity bare]
	certificate = $ca/wrong.pem
	key = $ca/wrong.key
	raw-key = yes
	allow = uid:0
	[trust pinned]
	raw-key = $(pin wrong)
	raw-key = $(pin ecdsa)
	[trust elsewhere]
	raw-key = $(pin rsa)
	END
	"$bin/ktlsd" -c conf > agent.log 2>&1 < /dev/null &
	keeper=$!
	servers+=($keeper)
	until_true 60 grep -q "serving with" agent.log || { cat agent.log; return 1; }
}
fetch() { curl -sS --max-time 60 --cacert "$ca/ca.pem" "${@:2}" "https://localhost:$web/$1" | cmp - "www/$1"; }
# A relayed session's socket has no SEND_ZC, and is nobody's until the handshake began.
uring() {
	local web rc
	web=$(free_port)
	serve "$web" "$bin/ktls-serve" --root www --port "$web" --identity ecdsa --engine uring
	fetch big && fetch mid && fetch page
	rc=$?
	stop "$server"
	return $rc
}
ten_at_once() {
	local pids=() p
	for _ in $(seq 10); do fetch big & pids+=($!); done
	for p in "${pids[@]}"; do wait "$p" || return; done
}
request() { printf 'GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'; }
verified() { until_true 40 grep -aq "Verify return code" got; }
s_client_updates() { # LETTERS: the peer's KeyUpdates, answered or not
	: > got
	{ verified; for c in "$@"; do echo "$c"; sleep 1; done; request; sleep 3; } |
		timeout 60 openssl s_client -msg -connect "127.0.0.1:$web" -servername localhost -CAfile "$ca/ca.pem" > got 2>&1
	grep -aq "the page" got || { tail -5 got; return 1; }
	[ "$(grep -ac '<<<.*KeyUpdate' got)" = "$(printf '%s\n' "$@" | grep -c K)" ] || { grep -a KeyUpdate got; return 1; }
}
gnutls_gets() {
	{ request; sleep 3; } | timeout 60 gnutls-cli -p "$web" --x509cafile "$ca/ca.pem" --sni-hostname localhost \
		--verify-hostname localhost 127.0.0.1 > got 2>&1
	grep -q "the page" got
}
cat_gets() { # HOST PORT [OPTION...]
	request | timeout 60 "$bin/ktls-cat" -T test "${@:3}" "$1" "$2" > got 2> err
	grep -q "the page" got || { cat err got; return 1; }
}
wrong_name() { ! cat_gets 127.0.0.1 "$web" -n wrong.example.org && grep -qi "certificate" err || { cat err; return 1; }; }
s_server() {
	local p
	p=$(free_port)
	cd www || return
	serve "$p" openssl s_server -accept "$p" -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_3 -WWW
	cd ..
	cat_gets 127.0.0.1 "$p" -n localhost
}
s_server12() {
	local p
	p=$(free_port)
	cd www || return
	serve "$p" openssl s_server -accept "$p" -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_2 -WWW
	cd ..
	cat_gets 127.0.0.1 "$p" -n localhost
}
renegotiates() { # another handshake in TLS 1.2 is refused, and the session goes on
	: > got
	{ verified; echo R; sleep 1; request; sleep 2; } |
		timeout 60 openssl s_client -tls1_2 -connect "127.0.0.1:$web" -servername localhost -CAfile "$ca/ca.pem" > got 2>&1
	grep -aqi "no renegotiation" got || { tail -5 got; return 1; }
}
conforms() { # what errs after the handshake gets its alert from the relay, too
	echo "hello from the relay" > www/index.html
	"$top/selftests/peers/conformance/run.py" "$web" "$1" > conform.log && return
	grep -A1 "^not ok" conform.log
	return 1
}
# What is wrong with a certificate stands in the log, and in ktlsctl's list of failures.
reason() { # CERTIFICATE NAME PATTERN
	local p
	p=$(free_port)
	serve "$p" openssl s_server -accept "$p" -cert "$ca/$1.pem" -key "$ca/$1.key" -tls1_3 -quiet
	! cat_gets 127.0.0.1 "$p" -n "$2" &&
		grep -q "result=failed .*reason=.*$3" agent.log && "$bin/ktlsctl" -s "$work/control" why 3 > why && grep -q "$3" why ||
		{ cat why; tail -2 agent.log; return 1; }
}
# Bare public keys, RFC 7250: GnuTLS is the client, then both ends are ours; a key that is not the one expected.
pin() { openssl x509 -in "$ca/$1.pem" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }
raw_gnutls() {
	local p
	p=$(free_port)
	serve "$p" "$bin/ktls-serve" --root www --port "$p" --identity bare
	{ request; sleep 3; } | timeout 60 gnutls-cli -p "$p" --priority "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CTYPE-SRV-ALL:+CTYPE-SRV-RAWPK" \
		--insecure --sni-hostname localhost 127.0.0.1 > got 2>&1
	grep -qi "raw public key" got && grep -q "the page" got || { cat got; return 1; }
}
raw_both() {
	local p
	p=$(free_port)
	serve "$p" "$bin/ktls-serve" --root www --port "$p" --identity bare
	request | timeout 60 "$bin/ktls-cat" -T pinned 127.0.0.1 "$p" -n nobody.example > got 2> err && grep -q "the page" got || { cat err; return 1; }
	! timeout 60 "$bin/ktls-cat" -T elsewhere 127.0.0.1 "$p" -n localhost < /dev/null > got 2> err &&
		grep -q "public key is none of those expected" agent.log || { cat err; tail -3 agent.log; return 1; }
}
# Where Linux has its own TLS, a server with a blocking socket gets that; a
# client doesn't: the tickets that s_server gives would be EIO.
tls_stat() { awk -v n="$1" '$1 == n { print $2 }' /proc/net/tls_stat; }
mainline() {
	local p before
	p=$(free_port)
	before=$(tls_stat TlsTxSw)
	mkfifo line
	timeout 120 "$bin/ktls-cat" -v -N -l -i ecdsa "$p" <<< "of the server" > got 2> err &
	until_true 240 listening "$p" || return
	timeout 120 openssl s_client -connect "127.0.0.1:$p" -CAfile "$ca/ca.pem" < line > client 2>&1 &
	exec 9> line
	echo "of the client" >&9
	until_true 60 grep -aq "of the server" client && until_true 60 grep -q "of the client" got
	local rc=$?
	exec 9>&-
	wait %?openssl
	[ $rc = 0 ] && grep -q "by Linux' own TLS" err && [ "$(tls_stat TlsTxSw)" -gt "$before" ] ||
		{ cat client got err /proc/net/tls_stat; return 1; }
}
no_mainline() {
	local p before
	p=$(free_port)
	before=$(tls_stat TlsTxSw)
	cd www || return
	serve "$p" openssl s_server -accept "$p" -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_3 -WWW -num_tickets 4
	cd ..
	cat_gets 127.0.0.1 "$p" -v -n localhost && grep -q "the agent relays" err &&
		[ "$(tls_stat TlsTxSw)" = "$before" ]
}
plain_text() { # what is no TLS gets an alert, and the agent lives
	printf 'GET / HTTP/1.1\r\n\r\n' | timeout 20 /usr/bin/python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET / HTTP/1.1\r\n\r\n")
sys.exit(0 if s.recv(100)[:1] == b"\x15" else 1)' "$web"
}
no_rights() { # another user may not use the identity
	grep -q 'allow = uid:1000' "$ca/ktlsd.conf"
	local p
	p=$(free_port)
	install -m 755 "$bin/ktls-cat" cat-of-all	# the tree may lie where others see nothing
	timeout 30 setpriv --reuid 4711 --clear-groups env KTLS_RELAY="$KTLS_RELAY" ./cat-of-all -l -i rsa "$p" > got 2> err &
	until_true 240 listening "$p" || return
	! openssl s_client -connect "127.0.0.1:$p" < /dev/null > client 2>&1
	wait $!
	grep -q "Permission\|may not\|forbid" err agent.log || { cat err; return 1; }
}
# What tshark reads with the key log is what curl sent and got.
capture() {
	tcpdump -i lo -U -w cap "port $web" > tcpdump.log 2>&1 &
	local dump=$!
	until_true 30 grep -q "listening on" tcpdump.log || { kill $dump; cat tcpdump.log; return 1; }
	fetch page
	until_true 20 captured
	local rc=$?
	kill $dump
	wait $dump
	[ $rc = 0 ] || { tail -3 tshark.log; return 1; }
	! tshark -r cap -Y http -T fields -e http.request.uri 2> /dev/null | grep -q page
}
captured() {
	tshark -r cap -o "tls.keylog_file:$work/keys" -d "tcp.port==$web,tls" -Y http -V > tshark.log 2>&1
	grep -q "GET /page" tshark.log && grep -q "the page" tshark.log
}
private() { [ "$(stat -c '%a %u' keys)" = "600 0" ] && grep -q "whoever reads it reads the traffic" agent.log; }
agent_down() { kill "$keeper"; until_true 20 gone "$keeper"; }
nobody() { ! cat_gets 127.0.0.1 "$web" -n localhost && grep -q "ktls\|agent\|module" err; }

# In User Mode Linux: what Linux itself has, as well.
[ -z "${KTLS_TOP:-}" ] || insmod "$KDIR/net/tls/tls.ko"
[ ! -d /sys/module/ktls ] || { echo "1..0 # SKIP the module is loaded here, it comes first"; exit 4; }
try "the agent serves without the module" start_agent
serve "$web" "$bin/ktls-serve" --root www --port "$web" --identity ecdsa
try "curl" fetch page
try "curl, 2 MB" fetch big
try "ten at once" ten_at_once
try "s_client updates its keys" s_client_updates k k
try "s_client asks for updates" s_client_updates K k K
try "gnutls-cli" gnutls_gets
try "ktls-cat, both ends relayed" cat_gets 127.0.0.1 "$web" -n localhost
try "the wrong name is refused, and why" wrong_name
try "ktls-cat, s_server" s_server
try "curl from the io_uring engine" uring
try "curl by TLS 1.2" fetch big --tls-max 1.2
try "ktls-cat, s_server by TLS 1.2" s_server12
try "another handshake in TLS 1.2 is refused" renegotiates
for what in "after the handshake" KeyUpdate later "of data" padding; do
	try "a client that errs: $what" conforms "$what"
done
try "why: expired" reason expired localhost "certificate for example.org expired on 20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
try "why: another name" reason wrong localhost "certificate .* for wrong.example.org"
try "why: an authority that nobody knows" reason stranger localhost "certificate for example.org has no trusted issuer"
try "bare public keys: gnutls-cli" raw_gnutls
try "bare public keys: both ends ours; one that is not expected" raw_both
if [ -e /proc/net/tls_stat ]; then
	try "a server's keys go to mainline's kernel TLS" mainline
	try "a client's don't, tickets come" no_mainline
else
	skip "a server's keys go to mainline's kernel TLS" "the module tls is not loaded"
fi
try "what is no TLS gets an alert" plain_text
try "another user may not have the identity" no_rights
try "after all that" fetch page
if have tshark && have tcpdump; then
	try "tshark reads a capture with the key log, and not without" capture
else
	skip "tshark reads a capture with the key log" "tshark and tcpdump are not installed"
fi
try "the key log is root's alone, and the log warns of it" private
try "the agent ends" agent_down
try "and nobody serves" nobody
done_testing
