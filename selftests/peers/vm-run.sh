#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-run.sh: servers that know nothing of TLS serve TLS, by ktls-run. In a guest
# with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=44900

mkdir www
head -c $((8 << 20)) /dev/urandom > www/large
printf 'a page\n' > www/index.html
tls=(curl -sS --max-time 60 --cacert "$ca/ca.pem")
hash_of() { sha256sum "$1" | cut -c1-64; }

# The page and a large file, whole; in plain text nothing; sessions were the module's.
pages() {
	local before
	before=$(stat_of HandshakesDone)
	[ "$("${tls[@]}" "https://localhost:$port/")" = "a page" ] || return
	"${tls[@]}" "https://localhost:$port/large" -o got || return
	[ "$(hash_of got)" = "$(hash_of www/large)" ] || { echo "another hash"; return 1; }
	[ $(($(stat_of HandshakesDone) - before)) = 2 ] || { echo "no handshakes"; return 1; }
}

nothing_plain() {
	rm -f got
	curl -sS --max-time 20 "http://localhost:$port/" -o got && return 1
	[ ! -s got ]
}

many() {
	rm -rf many && mkdir many
	"${tls[@]}" -Z --parallel-immediate --parallel-max 20 "https://localhost:$port/index.html?[1-40]" -o 'many/#1' || return
	[ "$(cat many/* | grep -c "^a page$")" = 40 ]
}

http_server() { # NAME COMMAND...
	local name=$1
	shift
	serve $port "$@" || { try "$name starts" false; return; }
	try "$name: page and file over TLS" pages
	try "$name: 40 connections" many
	try "$name: nothing in plain text" nothing_plain
	stop "$server"
}

nginx_config() {
	cat <<-EOC
	daemon off; user root; worker_processes 2; error_log $work/nginx.log; pid $work/nginx.pid;
	events { worker_connections 256; }
	http {
	        access_log off; client_body_temp_path $work/body; proxy_temp_path $work/proxy;
	        fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
	        sendfile on;
	        server { listen $port; root $work/www; }
	}
	EOC
}

# received NAME-OF-FILE: all that the server on $port sends is that file.
received() {
	timeout 60 openssl s_client -quiet -connect 127.0.0.1:$port -servername example.org -CAfile "$ca/ca.pem" \
		-verify_return_error < /dev/null 2> err > got
	cat err
	said $port
	[ "$(hash_of got)" = "$(hash_of "$1")" ]
}

socat_sends() {
	serve $port "$bin/ktls-run" -p $port -i ecdsa --preload -- socat -u FILE:www/large TCP4-LISTEN:$port,reuseaddr || return
	received www/large && until_true 5 gone "$server"
}

inheritor_sends() {
	serve $port "$bin/ktls-run" -b 127.0.0.1 -p $port -i ecdsa -- /usr/bin/python3 -c 'import os, socket
assert os.environ["LISTEN_FDS"] == "1" and int(os.environ["LISTEN_PID"]) == os.getpid()
s, _ = socket.socket(fileno=3).accept()
s.sendall(open("www/large", "rb").read())' || return
	received www/large && until_true 5 gone "$server"
}

environment() {
	"$bin/ktls-run" -b 127.0.0.1 -p $port -p $((port + 1)) -i rsa -n web -- \
		bash -c 'echo $LISTEN_FDS $LISTEN_FDNAMES $(($$ == LISTEN_PID)); ss -Hltn "sport >= :$0" | wc -l' $port > got
	cat got
	[ "$(tr '\n' ' ' < got)" = "2 web:web 1 2 " ]
}

alpn() {
	serve $port "$bin/ktls-run" -p $port -i rsa -a echo --preload -- socat TCP-LISTEN:$port,fork,reuseaddr EXEC:cat || return
	: > got
	{ echo hello; until_true 15 grep -q '^hello' got; } | timeout 20 openssl s_client -connect 127.0.0.1:$port -alpn nothing,echo > got 2>&1
	stop "$server"
	grep -E 'ALPN|hello' got
	grep -q '^ALPN protocol: echo' got && grep -q '^hello' got
}

redis() {
	local cli=(timeout 60 redis-cli -p $port --tls --cacert "$ca/ca.pem" --sni localhost)
	"${cli[@]}" PING > got || return
	grep -q PONG got || return
	"${cli[@]}" -x SET large < www/large || return
	[ "$("${cli[@]}" STRLEN large)" = $((8 << 20)) ] || return
	"${cli[@]}" GET large | head -c $((8 << 20)) > got
	[ "$(hash_of got)" = "$(hash_of www/large)" ] || { echo "another hash"; return 1; }
	[ "$(seq 500 | sed 's/^/INCRBY sum /' | "${cli[@]}" | tail -1)" = 125250 ] || return
	! timeout 5 redis-cli -p $port PING | grep PONG
}

as_redis() {
	have redis-server || { skip "redis-server" "package redis-server is not installed"; return; }
	serve $port "$bin/ktls-run" -p $port -i rsa --preload -- \
		redis-server --port $port --bind 127.0.0.1 --save '' --dir "$work" || { try "redis-server starts" false; return; }
	try "redis-server: commands and 8 MiB over TLS" redis
	stop "$server"
}

refuses() {
	"$bin/ktls-run" -p $port --preload -b ::1 -- true 2> got && return 1
	"$bin/ktls-run" -p 99999 -- true 2>> got && return 1
	"$bin/ktls-run" -p $port -- /no/such/command 2>> got && return 1
	cat got
	[ "$(grep -c . got)" -ge 3 ]
}

# A server that is up while the agent is not hands out errors, no pages.
without_agent() {
	serve $port "$bin/ktls-run" -p $port -i rsa --preload -- /usr/bin/python3 -m http.server $port -d www || return
	$agent stop || return
	nothing_plain && ! "${tls[@]}" "https://localhost:$port/" 2> /dev/null
	local rc=$?
	$agent start || return
	[ $rc = 0 ] && "${tls[@]}" "https://localhost:$port/" | grep -q 'a page'
	rc=$?
	stop "$server"
	return $rc
}

http_server "python3 -m http.server" "$bin/ktls-run" -p $port -i rsa --preload -- /usr/bin/python3 -m http.server $port -d www
port=$((port + 1))
if have nginx; then
	nginx_config > nginx.conf
	http_server "nginx without ssl" "$bin/ktls-run" -p $port -i ecdsa --preload -- nginx -c "$work/nginx.conf"
else
	skip "nginx without ssl" "package nginx-light is not installed"
fi
port=$((port + 1))
try "socat: 8 MiB to s_client" socat_sends
port=$((port + 1))
try "LISTEN_FDS: 8 MiB to s_client" inheritor_sends
port=$((port + 1))
try "ktls-run: what the command inherits" environment
port=$((port + 2))
try "ktls-run: ALPN" alpn
port=$((port + 1))
as_redis
port=$((port + 1))
try "ktls-run: refuses what it can't do" refuses
try "no agent: errors, never plain text" without_agent
try "no session, upcall or channel is left" idle
done_testing
