#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-bad-input.sh: what goes wrong, as one table: the errno that the program
# gets, the alert that the peer sees, and the sentence that says what to do.
# In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=44600

# answered ERRNO ALERT FROM SENTENCE: what vm_peer.py ask printed.
answered() {
	local errno alert from sentence
	read -r errno alert from sentence < asked
	echo "errno $errno (want $1), alert $alert (want $2) from $from (want $3): $sentence (want $4)"
	[ "$errno" = "$1" ] && [ "$alert" = "$2" ] && [ "$from" = "$3" ] &&
		grep -qE -- "$4" <<< "$sentence" && [ ${#sentence} -ge 25 ]
}

seen() { # TEXT: the peer said so
	echo "the peer said, without \"$1\":"
	cat peer
	[ "$1" = - ] || grep -qi -- "$1" peer
}

# client NAME ERRNO ALERT FROM SEEN SENTENCE WISH -- COMMAND...: ktls connects.
client() {
	local want=("${@:2:3}" "$6") name=$1 saw=$5 wish=$7
	shift 8
	port=$((port + 1))
	serve $port "${@//PORT/$port}"
	# shellcheck disable=SC2086
	timeout 40 $peer_py ask client $port $wish > asked 2> err
	sleep 0.3
	stop $server
	cp "$work/server.$port" peer
	try "client, $name: errno, alert, sentence" eval 'answered "${want[@]}" || { cat err; false; }'
	try "client, $name: the alert on the wire" seen "$saw"
}

# server NAME ERRNO ALERT FROM SEEN SENTENCE WISH -- COMMAND...: ktls accepts.
server() {
	local want=("${@:2:3}" "$6") name=$1 saw=$5 wish=$7 pid
	shift 8
	port=$((port + 1))
	# shellcheck disable=SC2086
	timeout 60 $peer_py ask server $port $wish > asked 2> err &
	pid=$!
	until_true 240 listening $port
	timeout 20 "${@//PORT/$port}" > peer 2>&1 < /dev/null
	wait $pid
	try "server, $name: errno, alert, sentence" eval 'answered "${want[@]}" || { cat err; false; }'
	try "server, $name: the alert on the wire" seen "$saw"
}

s_server() { echo openssl s_server -accept PORT -www -tls1_3 -cert "$ca/$1.pem" -key "$ca/$1.key" "${@:2}"; }
s_client() { echo openssl s_client -connect 127.0.0.1:PORT -CAfile "$ca/ca.pem" "$@"; }
us="name=example.org trust=test"

# shellcheck disable=SC2046
table() {
	# A client that may not begin says nothing at all: the peer sees the end.
	#      what            errno         alert from  the peer saw              the sentence has
	client "wrong CA"      EKEYREJECTED  48 local "unknown ca"               "CA|issuer|trust"        "$us" -- $(s_server stranger)
	client "wrong name"    EKEYREJECTED  42 local "bad certificate"          "name|example.org"       "$us" -- $(s_server wrong)
	client "expired"       EKEYREJECTED  45 local "certificate expired"      "expired"                "$us" -- $(s_server expired)
	client "no common cipher" EPROTO     40 peer  "no shared cipher"         "cipher|handshake_failure" \
		"$us ciphers=AES-128-GCM" -- $(s_server rsa -ciphersuites TLS_CHACHA20_POLY1305_SHA256)
	client "unknown trust" ENOKEY         0 none  "unexpected eof"           "trust store"            "name=example.org trust=none" -- $(s_server rsa)
	client "a uid without permission" EACCES 0 none "unexpected eof"         "uid 1001"               "$us uid=1001" -- $(s_server rsa)

	server "unknown SNI"   EPROTO       112 local "unrecognized name"        "no.example"             "" -- $(s_client -servername no.example)
	server "no common cipher" EPROTO     40 local "handshake failure"        "cipher"                 \
		"ciphers=AES-128-GCM" -- $(s_client -servername example.org -ciphersuites TLS_CHACHA20_POLY1305_SHA256)
	server "a uid without permission" EACCES 80 local "internal error"       "uid 1001"               "uid=1001" -- $(s_client -servername example.org)
	server "another's identity" EACCES   80 local "internal error"           "uid 1000 may not use"   "identity=rsa uid=1000" -- $(s_client -servername example.org)
	server "unknown identity" ENOKEY     80 local "internal error"           "no identity"            "identity=none" -- $(s_client -servername example.org)
	server "the client does not trust us" EPROTO 48 peer -                   "unknown_ca|peer"        \
		"identity=stranger" -- $(s_client -servername example.org -verify_return_error)
	server "TLS 1.1 only"  EPROTO        70 local "protocol version"         "TLS 1\.2"               "" -- \
		$(s_client -servername example.org -tls1_1 -cipher DEFAULT@SECLEVEL=0)
	server "CBC only"      EPROTO        40 local "handshake failure"        "ciphers"               "" -- \
		$(s_client -servername example.org -tls1_2 -cipher ECDHE-RSA-AES128-SHA256)

	pkill -STOP ktlsd
	client "the agent is too slow" ETIMEDOUT 0 none -                        "time|agent"             "$us timeout=1500" -- $(s_server rsa)
	pkill -CONT ktlsd
	sleep 1

	"$agent" stop
	client "no agent"      ESRCH          0 none  -                          "ktlsd"                  "$us" -- $(s_server rsa)
	server "no agent"      ESRCH          0 none  -                          "ktlsd"                  "" -- $(s_client -servername example.org)
	"$agent" start
}
table
try "no session, upcall or channel is left" idle
done_testing
