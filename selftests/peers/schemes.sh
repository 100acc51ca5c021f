#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# schemes.sh: ktlsd with schemes = of kinds of key that are off by default, as relay
# without module and VM: OpenSSL is the client of Ed448 and, by TLS 1.2, of
# brainpool; of ML-DSA both ends are ours. Then what becomes of them without the line. As root.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the agent's workers change their user: run as root"; exit 4; }
# shellcheck source=selftests/peers/vm-lib.sh
. "$top/selftests/peers/vm-lib.sh"
chmod 755 "$work"
pki=$top/build/unit/pki
export KTLS_RELAY=$work/relay
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
mkdir www
echo "the page" > www/page
schemes="mldsa65, ed448, ecdsa_brainpoolP384r1tls13_sha384, ecdsa_secp384r1_sha384, ecdsa_secp256r1_sha256"
declare -A port

start_agent() { # [LINE]: of [agent]
	local kind
	{
		printf '[agent]\ncontrol = %s\nrelay = %s\nworkers = 1\n%s\n' "$work/control" "$KTLS_RELAY" "$1"
		for kind in ed448 brainpool384 mldsa65; do
			printf '[identity %s]\ncertificate = %s\nkey = %s\nallow = uid:0\n' $kind "$pki/$kind.pem" "$pki/$kind.key"
		done
		printf '[trust test]\nfile = %s\n[trust mldsa]\nfile = %s\n[client]\nallow = uid:0\n' "$pki/ca.pem" "$pki/mldsa65-ca.pem"
	} > conf
	"$bin/ktlsd" -c conf > agent.log 2>&1 < /dev/null &
	keeper=$!
	servers+=($keeper)
	until_true 60 grep -q "serving with" agent.log || { cat agent.log; return 1; }
}
stop_agent() { kill "$keeper"; wait "$keeper"; }
request() { printf 'GET /page HTTP/1.1\r\nHost: server.test\r\nConnection: close\r\n\r\n'; }
s_client() { # KIND OPTION...
	{ request; sleep 3; } | timeout 60 openssl s_client -connect "127.0.0.1:${port[$1]}" -servername server.test \
		-CAfile "$pki/ca.pem" -verify_return_error "${@:2}" > got 2>&1
	grep -aq "the page" got || { tail -5 got; tail -3 agent.log; return 1; }
}
cat_gets() { # KIND TRUST
	request | timeout 60 "$bin/ktls-cat" -T "$2" -n server.test 127.0.0.1 "${port[$1]}" > got 2> err
	grep -q "the page" got || { cat err got; tail -3 agent.log; return 1; }
}
listed() { "$bin/ktlsctl" -s "$work/control" config --explain > explained; grep -q "(file) mldsa65 > ed448 > ecdsa_brainpoolP384r1tls13_sha384 > " explained || { cat explained; return 1; }; }
refused() { ! s_client "$@" && grep -q "alert number 40\|handshake failure" got; }
refused_by_us() { ! cat_gets "$@" && grep -q "result=failed .*signature" agent.log || { cat agent.log; return 1; }; }

try "the agent serves with the schemes named" start_agent "schemes = $schemes
groups = x25519, brainpoolP384r1, brainpoolP384r1tls13"
for kind in ed448 brainpool384 mldsa65; do
	port[$kind]=$(free_port)
	serve "${port[$kind]}" "$bin/ktls-serve" --root www --port "${port[$kind]}" --identity $kind
done
try "config --explain names them" listed
try "Ed448, s_client" s_client ed448
try "Ed448, s_client by TLS 1.2" s_client ed448 -tls1_2
try "Ed448, ktls-cat" cat_gets ed448 test
try "brainpool, s_client by TLS 1.2" s_client brainpool384 -tls1_2 -groups brainpoolP384r1
try "brainpool, ktls-cat" cat_gets brainpool384 test
try "ML-DSA, ktls-cat" cat_gets mldsa65 mldsa
try "ML-DSA, s_client knows it not" refused mldsa65
stop_agent 2> /dev/null
try "the agent serves with none named" start_agent
try "Ed448 is off: s_client" refused ed448
try "ML-DSA is off: ktls-cat" refused_by_us mldsa65 mldsa
done_testing
