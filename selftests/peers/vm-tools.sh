#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tools.sh: the tools and libktls where they are at home. In a guest with
# module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=44800

mkdir www
head -c $((8 << 20)) /dev/urandom > www/large
head -c 300000 /dev/urandom > www/small
printf 'a page\n' > www/index.html

fetch() { curl -sS --max-time 60 --cacert "$ca/ca.pem" "$@"; }

# ---- ktls-serve

# The page's figures: JSON, the very connection, the module's own counters.
status_page() {
	fetch "https://localhost:$port/small" -o small "https://localhost:$port/.ktls/status" -o status || return
	cmp small www/small || return
	/usr/bin/python3 - <<-'EOP'
	import json
	s = json.load(open("status"))
	print(s)
	me, module = s["session"], s["module"]
	assert (me["version"], me["phase"], me["server_name"]) == ("TLS 1.3", "open", "localhost")
	assert me["cipher"] == "AES-256-GCM" and me["suite"] == "TLS_AES_256_GCM_SHA384"
	assert me["group"] in ("X25519MLKEM768", "x25519", "secp256r1") and me["identity"] == "ecdsa"
	assert me["tx"]["bytes"] > 300000 and 19 <= me["tx"]["records"] <= 40, me["tx"]
	assert module["KtlsTxBytes"] >= me["tx"]["bytes"] and module["KtlsCurrSessions"] >= 1
	EOP
}

unchanged() {
	local tag
	tag=$(fetch -I "https://localhost:$port/small" | tr -d '\r' | sed -n 's/^ETag: //p')
	[ -n "$tag" ] && [ "$(fetch -H "If-None-Match: $tag" -o got -w '%{http_code} %{size_download}' \
		"https://localhost:$port/small")" = "304 0" ]
}

outside() {
	ln -sf /etc/passwd www/link
	[ "$(fetch -o got -w '%{http_code}' "https://localhost:$port/link")" = 404 ] &&
		[ "$(fetch --path-as-is -o got -w '%{http_code}' "https://localhost:$port/../../etc/passwd")" = 400 ]
}

hundred_requests() {
	fetch "https://localhost:$port/?[1-100]" -o got -w '%{num_connects}\n' > connects || return
	sort connects | uniq -c
	[ "$(grep -c '^1$' connects)" = 1 ] && [ "$(wc -l < connects)" = 100 ]
}

# SIGTERM in the middle: what is under way comes whole, nothing new is taken.
graceful() {
	local p=$((port += 1)) client
	serve $p "$bin/ktls-serve" -r www -p $p -i rsa || return
	rm -f got
	fetch --limit-rate 3M "https://localhost:$p/large" -o got &
	client=$!
	until_true 20 [ -s got ] || return
	kill -TERM "$server"
	until_true 5 not listening $p || { echo "still listening"; return 1; }
	wait $client && cmp got www/large && until_true 5 gone "$server"
}
not() { ! "$@"; }

plain() {
	local p=$((port += 1))
	serve $p "$bin/ktls-serve" -r www -p $p --plain || return
	fetch "http://localhost:$p/large" | cmp - www/large &&
		fetch "http://localhost:$p/.ktls/status" | grep -q '"session":null'
	local rc=$?
	stop "$server"
	return $rc
}

# Connections that say nothing cost a handshake neither now nor later.
thousand_silent() {
	ulimit -n 4096
	/usr/bin/python3 - $port "$ca/ca.pem" <<-'EOP'
	import socket, ssl, sys, time
	port, ca = int(sys.argv[1]), sys.argv[2]
	silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
	start = time.time()
	context = ssl.create_default_context(cafile=ca)
	with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as s:
	    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	    assert b"a page" in b"".join(iter(lambda: s.recv(4096), b""))
	print("answered after %.2f s" % (time.time() - start))
	assert time.time() - start < 5
	EOP
}

as_server() {
	port=$((port + 1))
	serve $port "$bin/ktls-serve" -r www -p $port -i ecdsa -c AES-256-GCM -l || { try "ktls-serve starts" false; return; }
	try "ktls-serve: the status page tells the truth" status_page
	try "ktls-serve: not modified" unchanged
	try "ktls-serve: nothing outside of the root" outside
	try "ktls-serve: a hundred requests on one connection" hundred_requests
	try "ktls-serve: logs requests" grep -q '127.0.0.1 GET /small 200 300000' "$work/server.$port"
	try "ktls-serve: a thousand silent connections" thousand_silent
	stop "$server"
	try "ktls-serve: ends gracefully" graceful
	try "ktls-serve: without TLS" plain
}

# ---- ktls-hello

only_libc() {
	ldd "$bin/ktls-hello"
	[ "$(ldd "$bin/ktls-hello" | grep -cvE 'linux-vdso|libc\.so|ld-linux')" = 0 ]
}

# It trusts what the system trusts: by the test's configuration, our authority.
hello() { # PORT
	"$bin/ktls-hello" localhost "$1" > got 2>&1
	local rc=$?
	cat got
	[ $rc = 0 ] && grep -q '^a page$' got
}

reloads() { "$bin/ktlsctl" status | sed -n 's/^agent.* \([0-9]*\) reloads$/\1/p'; }
reloaded_since() { [ "$(reloads)" -gt "$1" ]; }

# Workers leave and come; whoever asks meanwhile must not notice.
hello_while_reloading() { # PORT
	local before i
	before=$(reloads)
	for i in $(seq 8); do
		pkill -HUP -o -x ktlsd
		hello "$1" || { "$bin/ktlsctl" why; return 1; }
	done
	until_true 60 reloaded_since "$before"
}

hello_page() {
	local p=$((port += 1))
	serve $p "$bin/ktls-serve" -r www -p $p -i rsa || { try "ktls-serve starts" false; return; }
	try "ktls-hello: fetches a page" hello $p
	try "ktls-hello: fetches it while the agent reloads" hello_while_reloading $p
	stop "$server"
}

# ---- ktls-cat with itself

# pair SERVER-OPTIONS CLIENT-OPTIONS: large goes one way, small the other.
pair() {
	local p=$((port += 1)) rc
	# shellcheck disable=SC2086
	timeout 60 "$bin/ktls-cat" -l -v $1 127.0.0.1 $p < www/small > at-server 2> server-said &
	local listener=$!
	until_true 240 listening $p || return
	# shellcheck disable=SC2086
	timeout 60 "$bin/ktls-cat" -v -T test -n example.org $2 127.0.0.1 $p < www/large > at-client 2> client-said
	rc=$?
	wait $listener
	echo "client $rc, server $?"
	cat client-said server-said
	[ $rc = 0 ] && cmp at-server www/large && cmp at-client www/small
}

both_said() {
	cat client-said server-said
	grep -q "$1" client-said && grep -q "$1" server-said
}

refused() { # WHAT-THE-CLIENT-SAYS OPTIONS...
	local p=$((port += 1)) want=$1
	shift
	timeout 60 "$bin/ktls-cat" -l -i rsa 127.0.0.1 $p < /dev/null > /dev/null 2> server-said &
	until_true 240 listening $p || return
	timeout 60 "$bin/ktls-cat" "$@" 127.0.0.1 $p < /dev/null > /dev/null 2> client-said && return 1
	wait $!
	cat client-said server-said
	grep -qE "$want" client-said && grep -qE "the peer sent alert" server-said
}

with_itself() {
	try "ktls-cat: both ways at once" pair "-i rsa" ""
	try "ktls-cat: says what was transferred" grep -q "sent .* 8388608 bytes; received .* 300000 bytes" client-said
	try "ktls-cat: ChaCha20 and ALPN" pair "-i ecdsa -a h2 -a echo" "-c CHACHA20-POLY1305 -a echo"
	try "ktls-cat: both say the cipher" both_said TLS_CHACHA20_POLY1305_SHA256
	try "ktls-cat: both say the protocol" both_said "ALPN: echo"
	try "ktls-cat: a client with a certificate" pair "-i rsa -C require -T test" "-i ecdsa"
	try "ktls-cat: the server has verified it" grep -q "peer verified as" server-said
	try "ktls-cat: an unknown authority" refused "this side sent alert unknown_ca" -T other -n example.org
	try "ktls-cat: a wrong name" refused "this side sent alert bad_certificate" -T test -n elsewhere.example
	try "ktlsctl: why knows the wrong name" why_knows
}

# ---- ktlsctl

why_knows() {
	"$bin/ktlsctl" why 4 > why || return
	cat why
	grep -q "elsewhere.example" why && grep -q "bad_certificate; EKEYREJECTED" why
}

sessions() {
	local p=$((port += 1)) rc
	mkfifo in
	serve $p "$bin/ktls-serve" -r www -p $p -i rsa || return
	"$bin/ktls-cat" -v -T test -n example.org -c AES-128-GCM 127.0.0.1 $p < in > got 2> err &
	exec 7> in
	printf 'GET /small HTTP/1.1\r\nHost: x\r\n\r\n' >&7
	until_true 20 whole_answer
	"$bin/ktlsctl" sessions > table
	"$bin/ktlsctl" --json sessions > json
	/usr/bin/python3 - "$(sed -n 's/^session //p' err)" $p <<-'EOP'
	import json, sys
	all = json.load(open("json"))
	print(all)
	mine = [s for s in all if s["cookie"] == sys.argv[1]]
	assert len(all) == 2 and len(mine) == 1
	mine, other = mine[0], [s for s in all if s["cookie"] != sys.argv[1]][0]
	assert (mine["role"], other["role"]) == ("client", "server")
	assert mine["peer"] == "127.0.0.1:" + sys.argv[2] and mine["cipher"] == "AES-128-GCM"
	# The agent sealed the tickets, one record, before the kernel had keys.
	assert mine["rx"]["records"] == other["tx"]["records"] + 1 and mine["rx"]["bytes"] == other["tx"]["bytes"]
	assert mine["phase"] == "open" and mine["waits"] is None
	EOP
	rc=$?
	exec 7>&-
	stop "$server"
	cat table err
	[ $rc = 0 ] && [ "$(wc -l < table)" = 3 ]
}
whole_answer() { [ "$(stat -c %s got)" -gt 300000 ]; }

stats() {
	"$bin/ktlsctl" stats > table && "$bin/ktlsctl" -j stats > json || return
	cat table
	/usr/bin/python3 -c 'import json; s = json.load(open("json")); assert s["KtlsHandshakesDone"] > 10' &&
		[ "$(wc -l < table)" = "$(wc -l < /proc/net/ktls_stat)" ]
}

not_permitted() {
	setpriv --reuid 1000 --regid 1000 --clear-groups "$bin/ktlsctl" sessions > got 2>&1 && return 1
	cat got
	grep -q CAP_NET_ADMIN got
}

status() {
	"$bin/ktlsctl" status > got
	cat got
	grep -q '^agent .*ktlsd.*pid' got && grep -q '^worker .*ready' got && grep -q '^module .*done' got
}

as_server
try "ktls-hello: needs nothing but libc" only_libc
hello_page
with_itself
try "ktlsctl: status" status
try "ktlsctl: sessions, table and JSON" sessions
try "ktlsctl: stats" stats
try "ktlsctl: sessions needs a capability" not_permitted
try "no session, upcall or channel is left" idle
done_testing
