#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-options.sh: what is off until configured, end to end, the agent's handshake
# and the module's records: TLS 1.2 with CBC (encrypt-then-MAC), CCM and keys by
# hand, with OpenSSL and GnuTLS; how long records are by padding, record_size_limit and
# max_fragment_length, counted on the wire. In a guest with the module; starts an
# agent of its own. QUICK=1: one suite of a kind.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
config=$work/ktlsd.conf
port=44900
hex=000102030405060708090a0b0c0d0e0f
echo $hex > friend.key
sed 's/^workers = .*/&\npadding = 1000\ntls12-psk = ecdhe dhe plain\ngroups = x25519 secp256r1 ffdhe2048\nciphers = aes-128-gcm aes-256-gcm chacha20-poly1305\n  aes-128-ccm aes-256-ccm aes-128-ccm-8 aes-128-cbc-sha aes-256-cbc-sha\n  aes-128-cbc-sha256 aes-256-cbc-sha256 aes-256-cbc-sha384/' "$ca/ktlsd.conf" > "$config"
printf '[psk friend]\nkey = %s/friend.key\nallow = uid:0\n' "$work" >> "$config"
[ -d /sys/module/ktls ] || insmod "$VM_MODULE" || exit 1
pgrep -x ktlsd > /dev/null && $agent stop
$agent start "$config" || exit 1
mkdir www
head -c 100000 /dev/urandom > www/file

# some WORD...: all of them, or the first
some() { if [ -n "${QUICK:-}" ]; then echo "$1"; else echo "$@"; fi; }

fetch() { # PORT CURL_OPTION...
	timeout 100 curl -sS --cacert "$ca/ca.pem" --resolve "example.org:$1:127.0.0.1" "${@:2}" "https://example.org:$1/file" | cmp - www/file
}

# ---- suites of TLS 1.2

by_gnutls() { # PRIORITY
	{ printf 'GET /file HTTP/1.0\r\n\r\n'; until_true 60 grep -q "closed the GnuTLS" got; } | timeout 100 gnutls-cli -p $port --x509cafile "$ca/ca.pem" \
		--sni-hostname example.org --verify-hostname example.org --priority "$1" 127.0.0.1 > got 2>&1
	grep -aq "HTTP/1.. 200" got || { tail -20 got; return 1; }
}

server_suites() {
	local c
	serve $port "$bin/ktls-serve" --root www --port $port --identity rsa || { try "ktls-serve starts" false; return; }
	for c in $(some AES128-SHA256 AES128-SHA AES256-SHA AES256-SHA384); do
		try "server, curl, ECDHE-RSA-$c" fetch $port --tls-max 1.2 --ciphers "ECDHE-RSA-$c"
	done
	for c in $(some DHE-RSA-AES256-SHA256 DHE-RSA-AES128-CCM); do
		[ -n "${QUICK:-}" ] || try "server, curl, $c" fetch $port --tls-max 1.2 --ciphers "$c"
	done
	if have gnutls-cli; then
		try "server, gnutls-cli, AES-128-CBC with SHA1" by_gnutls NONE:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-CBC:+SHA1:+SIGN-ALL:+COMP-NULL:+GROUP-X25519
	else
		skip "server, gnutls-cli, AES-128-CBC with SHA1" "not installed"
	fi
	stop "$server"
	[ -z "${QUICK:-}" ] || return
	port=$((port + 1))
	serve $port "$bin/ktls-serve" --root www --port $port --identity ecdsa || { try "ktls-serve starts" false; return; }
	for c in ECDHE-ECDSA-AES128-CCM ECDHE-ECDSA-AES256-CCM ECDHE-ECDSA-AES128-CCM8 ECDHE-ECDSA-AES256-SHA384; do
		try "server, curl, $c" fetch $port --tls-max 1.2 --ciphers "$c:@SECLEVEL=0"
	done
	stop "$server"
}

cat_says() { # TEXT OPTION...: that the peer answered, and what ktls-cat says of the session
	: > out
	{ echo hello; until_true 60 grep -q olleh out; } | timeout 100 "$bin/ktls-cat" -v "${@:2}" 127.0.0.1 $port > out 2> err
	grep -q -- "$1" err && grep -q olleh out || { cat out err; return 1; }
}

client_suites() {
	local c key
	for c in $(some ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES128-SHA ECDHE-RSA-AES128-SHA256 ECDHE-ECDSA-AES128-CCM8); do
		port=$((port + 1))
		key=rsa
		[[ $c != *ECDSA* ]] || key=ecdsa
		serve $port openssl s_server -accept $port -cert "$ca/$key.pem" -key "$ca/$key.key" -tls1_2 -rev -cipher "$c:@SECLEVEL=0"
		try "client, s_server, $c" cat_says "TLS 1.2" -n example.org -T test
		stop "$server"
	done
	for c in $(some ECDHE-PSK-CHACHA20-POLY1305 PSK-AES256-GCM-SHA384 PSK-AES128-CCM8); do
		port=$((port + 1))
		serve $port openssl s_server -accept $port -nocert -psk $hex -tls1_2 -rev -cipher "$c:@SECLEVEL=0"
		try "client, s_server, $c" cat_says "pre-shared key: friend" -P friend
		stop "$server"
	done
}

psk_client() { # OPTION...
	: > got
	{ echo hello; until_true 60 grep -q "you said hello" got; } | timeout 100 openssl s_client -connect 127.0.0.1:$port -psk $hex -psk_identity friend "$@" > got 2>&1
	grep -q "you said hello" got || { tail -20 got; return 1; }
}

# With a share, gnutls-cli ends itself when it tells what it has agreed on.
psk_gnutls() { # PRIORITY
	: > got
	{ echo hello; until_true 60 grep -q "you said hello" got; } | timeout 100 gnutls-cli -p $port --pskusername friend --pskkey $hex \
		--priority "$1" 127.0.0.1 > got 2>&1
	grep -q "you said hello" got || { tail -20 got; return 1; }
}

server_keys() {
	local c
	port=$((port + 1))
	serve $port $peer_py answer $port psk=friend || { try "a server with a key starts" false; return; }
	for c in $(some PSK-AES128-GCM-SHA256 ECDHE-PSK-CHACHA20-POLY1305 DHE-PSK-AES256-GCM-SHA384 PSK-AES128-CCM); do
		try "server, s_client, $c" psk_client -tls1_2 -cipher "$c"
	done
	if have gnutls-cli; then
		try "server, gnutls-cli, PSK" psk_gnutls NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK
	else
		skip "server, gnutls-cli, PSK" "not installed"
	fi
	stop "$server"
}

# ---- how long records are

between() { # the port that goes to $port by way of a proxy that counts
	way=$((port + 1))
	serve $way /usr/bin/python3 "$top/selftests/peers/lengths.py" $way $port lengths
	proxy=$server
}
# all WHO NUM: content, type and padding of each record are NUM bytes, a multiple of it, or as long as records may be
all() { awk -v who="$1" -v n="$2" '$1 == who { count++; if ($2 % n && $2 != 16385) bad = 1 } END { exit bad || count < 3 }' lengths || { head -50 lengths; return 1; }; }
most() { awk -v who="$1" -v n="$2" '$1 == who { count++; if ($2 > n) bad = 1; if ($2 == n) full = 1 } END { exit bad || !full || count < 3 }' lengths || { head -50 lengths; return 1; }; }

padded() { fetch $way --tlsv1.3 && all server 1000 && ! all client 1000 > /dev/null; }
limited() {
	{ printf 'GET /file HTTP/1.0\r\n\r\n'; until_true 60 grep -q "closed the GnuTLS" got; } | timeout 100 gnutls-cli -p $way --x509cafile "$ca/ca.pem" --recordsize 600 \
		--sni-hostname example.org --verify-hostname example.org --priority NORMAL:-VERS-ALL:+VERS-TLS1.3 127.0.0.1 > got 2>&1
	grep -aq "HTTP/1.. 200" got && all server 601 && [ "$(grep -c "^server 601" lengths)" -gt 100 ] || { tail -20 got; return 1; }
}
fragments() {
	{ printf 'GET /file HTTP/1.0\r\n\r\n'; until_true 60 grep -aq "closed" got; } | timeout 100 openssl s_client -connect 127.0.0.1:$way -servername example.org \
		-tls1_2 -maxfraglen 1024 -cipher ECDHE-RSA-AES128-GCM-SHA256 > got 2>&1
	grep -aq "HTTP/1.. 200" got && most server 1032 || { tail -20 got; return 1; }
}
pads() { (port=$way; cat_says "TLS 1.3" -n example.org -T test) && all client 1000 && ! all server 1000 > /dev/null; }

lengths() {
	local web
	port=$((port + 1))
	serve $port "$bin/ktls-serve" --root www --port $port --identity rsa || { try "ktls-serve starts" false; return; }
	web=$server
	between
	try "server pads all records, curl" padded
	stop "$proxy"
	if have gnutls-cli; then
		between
		try "server keeps to record_size_limit, padding or not, gnutls-cli" limited
		stop "$proxy"
	else
		skip "server keeps to record_size_limit, padding or not, gnutls-cli" "not installed"
	fi
	between
	try "server keeps to max_fragment_length, s_client" fragments
	stop "$proxy"
	stop "$web"
	port=$((port + 2))
	serve $port openssl s_server -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_3 -rev
	web=$server
	between
	try "client pads all records, s_server" pads
	stop "$proxy"
	stop "$web"
}

lengths
server_suites
client_suites
server_keys
try "no session, upcall or channel is left" idle
$agent stop
done_testing
