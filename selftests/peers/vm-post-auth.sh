#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-post-auth.sh: client authentication after the handshake through kernel and
# agent, both roles, with OpenSSL and GnuTLS at the other end. In a guest with
# the module; starts an agent if there is none.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
post_py="/usr/bin/python3 -B $top/selftests/peers/post_auth.py"
[ -d /sys/module/ktls ] || insmod "$VM_MODULE" || exit 1
pgrep -x ktlsd > /dev/null || { $agent start && ours=1; } || exit 1

has() { grep -qaE -- "$1" "$2"; }
says() { has "$1" "$2" || { cat "$2"; return 1; }; }
there() { until_true 60 has "$1" "$2" || { cat "$2"; return 1; }; }
up() { until_true 60 listening "$1"; }

# ---- a server of ktls

served=$work/served
: > "$served"
$post_py serve 4711 rsa >> "$served" 2>&1 &	# which is emptied before each test
servers+=($!)

s_client() { # WORD OPTION...
	: > got
	: > "$served"
	{ echo hello; until_true 60 has "$1" got; } | timeout 120 openssl s_client -connect 127.0.0.1:4711 \
		-servername example.org -tls1_3 -CAfile "$ca/ca.pem" -verify_return_error "${@:2}" > got 2>&1
}

gnutls_cli() { # WORD OPTION...
	: > got
	: > "$served"
	{ echo hello; until_true 60 has "$1" got; } | timeout 120 gnutls-cli -p 4711 --x509cafile "$ca/ca.pem" \
		--sni-hostname example.org --verify-hostname example.org "${@:2}" 127.0.0.1 > got 2>&1
}

openssl_is_asked() { # KIND
	s_client "shown hello" -enable_pha -cert "$ca/$1.pem" -key "$ca/$1.key"
	says "^shown hello" got && says "^at first possible" "$served" && says "^then shown example.org" "$served"
}
gnutls_is_asked() { # KIND
	gnutls_cli "shown hello" --post-handshake-auth --x509certfile "$ca/$1.pem" --x509keyfile "$ca/$1.key"
	says "^shown hello" got && says "^then shown example.org" "$served"
}
none_is_shown() { s_client "none hello" -enable_pha; says "^none hello" got && says "^then none " "$served"; }
not_offered() {
	s_client "EOPNOTSUPP hello" -cert "$ca/rsa.pem" -key "$ca/rsa.key"
	says "^EOPNOTSUPP hello" got && says "^at first never" "$served"
}
strangers() {
	s_client "alert number" -enable_pha -cert "$ca/stranger.pem" -key "$ca/stranger.key"
	says "alert number 48" got && there "^ended EKEYREJECTED local 48" "$served"
}

try "a server of ktls is there" up 4711
for kind in rsa ecdsa; do
	try "s_client shows its certificate when asked, $kind" openssl_is_asked $kind
	try "gnutls-cli shows its certificate when asked, $kind" gnutls_is_asked $kind
done
try "s_client shows none, and the session goes on" none_is_shown
try "s_client that did not offer it is not asked, EOPNOTSUPP" not_offered
try "s_client with another CA's certificate is refused, unknown_ca" strangers

# ---- a client of ktls

s_server() { # PORT
	rm -f command
	mkfifo command
	exec 3<> command
	openssl s_server -accept "$1" -cert "$ca/ecdsa.pem" -key "$ca/ecdsa.key" -tls1_3 -verify 1 -CAfile "$ca/ca.pem" \
		< command >> theirs 2>&1 &
	servers+=($!)
	up "$1"
}
asked_by_openssl() { # IDENTITY SAYS
	: > theirs
	: > got
	{ there hello theirs && echo c >&3 && sleep 1 && echo answer >&3; } &
	timeout 120 $post_py ask 4712 example.org test "$1" hello > got 2>&1
	wait $!
	says "^at first possible" got && says "^got answer" got && says "^then $2" got
}
openssl_saw() { # IDENTITY SUBJECT
	asked_by_openssl "$1" "shown $1" && there "subject=CN = $2|CN ?= ?$2" theirs
}

asked_by_gnutls() { # IDENTITY
	: > got
	timeout 120 $post_py ask 4713 example.org test "$1" '**REAUTH**' > got 2>&1
	says "^then shown $1" got
}

try "a server of OpenSSL is there" s_server 4712
for kind in rsa ecdsa; do
	try "s_server asks, and is shown $kind" openssl_saw $kind $kind
done
try "s_server asks, and there is none to show" asked_by_openssl - "none "
exec 3>&-
serve 4713 gnutls-serv --echo -p 4713 --x509certfile "$ca/ecdsa.pem" --x509keyfile "$ca/ecdsa.key" --x509cafile "$ca/ca.pem"
for kind in rsa ecdsa; do
	try "gnutls-serv asks, and is shown $kind" asked_by_gnutls $kind
done

# ---- both ends

both() { # IDENTITY WORD
	: > "$served"
	timeout 120 $post_py ask 4711 example.org test "$1" hello > got 2>&1
	says "^got $2 hello" got && says "^then $2" "$served"
}
try "ktls asks ktls, which shows its certificate" both rsa shown
try "ktls asks ktls, which has none" both - none

[ -z "${ours:-}" ] || $agent stop
done_testing
