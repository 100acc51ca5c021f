#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-peers.sh: ktls against programs that we did not write, in both roles where
# the peer has both, with each cipher; then peers that misbehave. In a guest
# with module and agent. SIZE= is the large file in MiB (1024, emulated 8).
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
[ "${VM_ACCEL:-}" = kvm ] && size=${SIZE:-1024} || size=${SIZE:-8}
ciphers="AES-128-GCM AES-256-GCM CHACHA20-POLY1305"
declare -A suite=([AES-128-GCM]=TLS_AES_128_GCM_SHA256 [AES-256-GCM]=TLS_AES_256_GCM_SHA384
	[CHACHA20-POLY1305]=TLS_CHACHA20_POLY1305_SHA256)
gnutls="NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+"
trusting=(--x509cafile "$ca/ca.pem" --sni-hostname example.org --verify-hostname example.org)
next_port=44300

mkdir www
head -c $((size << 20)) /dev/urandom > www/large
head -c 300000 /dev/urandom > www/small
head -c 50000 /dev/urandom > www/page
get() { printf 'GET /%s HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n' "$1"; }
same() { cmp - "www/$1"; }
# The header is read byte by byte, so that cmp gets exactly what follows it.
body_is() {
	local line
	while IFS= LC_ALL=C read -r line; do
		[ "$line" != $'\r' ] || break
	done
	same "$1"
}

# ---- ktls-serve, and clients

openssl_client() { # PORT SUITE FILE
	get "$3" | timeout 300 openssl s_client -quiet -connect "127.0.0.1:$1" -servername example.org \
		-CAfile "$ca/ca.pem" -verify_return_error -ciphersuites "$2" 2> err | body_is "$3" ||
		{ cat err; return 1; }
}

# It leaves when its input ends, so that stays open until all has come.
gnutls_client() { # PORT CIPHER FILE
	local want=$(($(stat -c %s "www/$3") + 100))
	rm -f got
	{ get "$3"; until_true 60 enough got $want; } |
		timeout 300 gnutls-cli --logfile=err -p "$1" "${trusting[@]}" --priority "$gnutls$2" 127.0.0.1 > got
	body_is "$3" < got || { cat err; return 1; }
}
enough() { [ "$(stat -c %s "$1" 2> /dev/null || echo 0)" -ge "$2" ]; }

curl_client() { # PORT SUITE FILE
	timeout 300 curl -sS --tlsv1.3 --tls13-ciphers "$2" --cacert "$ca/ca.pem" \
		--resolve "example.org:$1:127.0.0.1" "https://example.org:$1/$3" | same "$3"
}

curl_range() { # PORT
	curl -sS --cacert "$ca/ca.pem" -r 1000-250000 "https://localhost:$1/small" |
		cmp - <(tail -c +1001 www/small | head -c 249001)
}

curl_parallel() { # PORT: 200 connections at once, each file whole
	local i before after
	rm -rf many && mkdir many
	before=$(stat_of HandshakesDone)
	timeout 300 curl -sS -Z --parallel-immediate --parallel-max 200 --cacert "$ca/ca.pem" \
		"https://localhost:$1/page?[1-200]" -o 'many/#1' || return
	for i in $(seq 200); do cmp "many/$i" www/page || return; done
	after=$(stat_of HandshakesDone)
	echo "$((after - before)) handshakes"
	rm -rf many
	[ $((after - before)) -ge 200 ]
}

as_server() {
	local c p
	for c in $ciphers; do
		next_port=$((next_port + 1)) p=$next_port
		serve $p "$bin/ktls-serve" --root www --port $p --identity rsa --cipher "$c" || { try "ktls-serve starts" false; continue; }
		try "server, $c, s_client, $size MiB" openssl_client $p "${suite[$c]}" large
		try "server, $c, gnutls-cli" gnutls_client $p "$c" small
		try "server, $c, curl, $size MiB" curl_client $p "${suite[$c]}" large
		try "server, $c, python" $peer_py fetch $p "$ca/ca.pem" /small www/small
		stop $server
	done
}

server_in_trouble() {
	local p=$((next_port += 1))
	serve $p "$bin/ktls-serve" --root www --port $p --identity ecdsa || { try "ktls-serve starts" false; return; }
	try "server, a range of a file" curl_range $p
	try "server, 200 connections at once" curl_parallel $p
	try "server, a request of 1-byte records" $peer_py bytewise $p "$ca/ca.pem" /small www/small
	try "server, the client dies in the middle" $peer_py die $p "$ca/ca.pem" /large
	try "server, and the next is served" curl_client $p TLS_AES_128_GCM_SHA256 small
	try "server, garbage instead of a handshake" $peer_py garbage_first $p
	try "server, garbage after the handshake" $peer_py garbage_later $p "$ca/ca.pem"
	stop $server
	p=$((next_port += 1))
	serve $p "$bin/ktls-serve" --root www --port $p --identity ecdsa --idle 15
	try "server, 40 silent clients delay nobody" $peer_py silent $p "$ca/ca.pem" /small www/small
	stop $server
	try "server, all sessions are gone" idle
}

# ---- ktls-cat, and servers

fetch() { # PORT CIPHER FILE
	get "$3" | timeout 300 "$bin/ktls-cat" -N -T test -n example.org -c "$2" 127.0.0.1 "$1" 2> err | body_is "$3" ||
		{ cat err; said "$1"; return 1; }
}

raw() { # PORT CIPHER FILE: the answer has no header
	get "$3" | timeout 300 "$bin/ktls-cat" -N -T test -n example.org -c "$2" 127.0.0.1 "$1" 2> err | same "$3" ||
		{ cat err; said "$1"; return 1; }
}

# A line goes out and comes back; gnutls-serv echoes lines of text only.
echoed() { # PORT CIPHER
	local cat rc=0
	rm -f in got && mkfifo in
	{ head -c 6000 www/small | base64 -w 0; echo; } > line
	timeout 60 "$bin/ktls-cat" -N -T test -n example.org -c "$2" 127.0.0.1 "$1" < in > got 2> err &
	cat=$!
	exec 7> in
	cat line >&7
	until_true 30 enough got "$(stat -c %s line)"
	cmp got line || { rc=1; cat err; said "$1"; }
	exec 7>&-
	kill $cat
	wait $cat
	return $rc
} 2> /dev/null

gnutls_page() { # PORT CIPHER: the page names what was agreed
	get "" | timeout 60 "$bin/ktls-cat" -N -T test -n example.org -c "$2" 127.0.0.1 "$1" > got 2> err
	grep -q "TLS1.3" got && grep -q "$2" got || { cat got err; said "$1"; return 1; }
}

nginx_server() { # PORT
	mkdir -p nginx
	cat > nginx/conf <<-EOF
	daemon off; master_process off; pid $work/nginx/pid; error_log stderr; user root;
	events { }
	http {
	    access_log off;
	    client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
	    uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
	    server { listen $1 ssl; root $work/www; sendfile on; ssl_protocols TLSv1.3;
	        ssl_certificate $ca/rsa.pem; ssl_certificate_key $ca/rsa.key; }
	}
	EOF
	chmod 755 "$work"
	serve "$1" nginx -c "$work/nginx/conf"
}

# usual SERVER PORT-OFFSET COMMAND...: it serves each cipher in turn.
as_client() {
	local c p=$((next_port += 10)) s=()
	cd www || return
	serve $((p + 1)) openssl s_server -accept $((p + 1)) -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_3 -WWW
	s+=("$server")
	cd ..
	serve $((p + 2)) gnutls-serv --http -p $((p + 2)) --x509certfile "$ca/rsa.pem" --x509keyfile "$ca/rsa.key"
	s+=("$server")
	serve $((p + 3)) gnutls-serv --echo -p $((p + 3)) --x509certfile "$ca/ecdsa.pem" --x509keyfile "$ca/ecdsa.key"
	s+=("$server")
	nginx_server $((p + 4))
	s+=("$server")
	serve $((p + 5)) $peer_py serve_file $((p + 5)) "$ca/ecdsa.pem" "$ca/ecdsa.key" www/small
	s+=("$server")
	for c in $ciphers; do
		try "client, $c, s_server" fetch $((p + 1)) "$c" small
		try "client, $c, gnutls-serv" gnutls_page $((p + 2)) "$c"
		try "client, $c, gnutls-serv, echo" echoed $((p + 3)) "$c"
		try "client, $c, nginx, $size MiB" fetch $((p + 4)) "$c" large
		try "client, $c, python" raw $((p + 5)) "$c" small
	done
	try "client, two setsockopts and no library, nginx" hello $((p + 4))
	for server in "${s[@]}"; do stop "$server"; done
}

hello() { # PORT
	cp www/small www/index.html
	timeout 60 "$bin/ktls-hello" example.org "$1" > got && body_is small < got
}

cut_off() { # PORT
	get x | timeout 60 "$bin/ktls-cat" -N -T test -n example.org 127.0.0.1 "$1" 2> err | wc -c > got
	[ "${PIPESTATUS[1]}" != 0 ] || { echo "no failure told: $(cat got) bytes, $(cat err)"; return 1; }
	[ "$(cat got)" = 50000 ]
}

client_in_trouble() {
	local p=$((next_port += 10))
	serve $p $peer_py echo $p "$ca/rsa.pem" "$ca/rsa.key"
	try "client, 1-byte writes and reads by two setsockopts" $peer_py drops $p
	stop $server
	p=$((next_port += 1))
	serve $p $peer_py truncate $p "$ca/rsa.pem" "$ca/rsa.key" 50000
	try "client, the end without close_notify is an error" cut_off $p
	stop $server
	try "client, all sessions are gone" idle
}

for part in ${*:-as_server server_in_trouble as_client client_in_trouble}; do $part; done
done_testing
