#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-serve.sh [ENGINE...]: ktls-serve's engines, each with curl, openssl
# s_client and Python; by default epoll and uring. SERVE_MB is the large file's
# size. In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
port=45600

mkdir www
head -c $((${SERVE_MB:-4} << 20)) /dev/urandom > www/large
head -c 20000 /dev/urandom > www/piece
printf 'a page\n' > www/index.html

fetch() { curl -sS --max-time 120 --cacert "$ca/ca.pem" "$@"; }

# The whole by its hash, and a range that begins in the middle of a page.
large() {
	fetch "https://localhost:$port/large" -o got && [ "$(sha256sum < got)" = "$(sha256sum < www/large)" ] || return
	fetch -r 4097-3000000 "https://localhost:$port/large" | cmp - <(tail -c +4098 www/large | head -c 2995904)
}

# Its standard input ends after the requests: so the server's close ends it.
s_client() {
	{
		for _ in $(seq 20); do printf 'GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n'; done
		printf 'GET /piece HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	} | timeout 120 openssl s_client -quiet -no_ign_eof -ign_eof -connect "127.0.0.1:$port" -servername localhost \
		-verify_return_error -CAfile "$ca/ca.pem" > got 2> err
	[ "$(grep -ac '^a page' got)" = 20 ] && tail -c 20000 got | cmp - www/piece || { tail -5 err; return 1; }
}

python() {
	/usr/bin/python3 "$top/selftests/peers/serve.py" $port "$ca/ca.pem" www/large www/piece > said
	cat said
	[ "$(grep -c '^ok' said)" = 3 ]
}

# No connection, no file: of sockets only the listeners.
nothing_open() {
	[ -z "$(find "/proc/$server/fd" -lname "$work/www/*")" ] &&
		[ "$(find "/proc/$server/fd" -lname 'socket:*' | wc -l)" = $threads ]
}
settled() { until_true 30 nothing_open || { ls -l "/proc/$server/fd"; return 1; }; }

# SIGTERM in the middle: what is under way comes whole, nothing new is taken.
graceful() {
	local client
	rm -f got
	fetch --limit-rate 2M "https://localhost:$port/large" -o got &
	client=$!
	until_true 60 [ -s got ] || return
	kill -TERM "$server"
	until_true 10 not_listening || { echo "still listening"; return 1; }
	wait $client && cmp got www/large && until_true 20 gone "$server"
}
not_listening() { ! listening $port; }

begin() { # ENGINE [COMMAND...]
	port=$((port + 1))
	serve $port "${@:2}" "$bin/ktls-serve" -r www -p $port -i rsa -t $threads -e "$1"
}

engine() {
	begin "$1" || { try "$1: starts" false; return; }
	try "$1: curl, a large file by its hash" large
	try "$1: s_client, requests at once" s_client
	try "$1: Python: many requests, a slow reader, clients that go away" python
	try "$1: nothing stays open" settled
	try "$1: ends gracefully" graceful
	grep "io_uring" "$work/server.$port" && try "$1: is what was asked for" false
}

# Refused by the administrator: said, and epoll does it.
refused() {
	local knob=/proc/sys/kernel/io_uring_disabled was rc
	was=$(cat $knob)
	echo 2 > $knob
	begin uring && large
	rc=$?
	echo "$was" > $knob
	stop "$server"
	said $port
	[ $rc = 0 ] && grep -q "no io_uring here: .*io_uring_disabled.* epoll instead" "$work/server.$port"
}

threads=2
for e in "${@:-epoll uring}"; do
	for name in $e; do engine "$name"; done
done
if [ -e /proc/sys/kernel/io_uring_disabled ]; then
	try "uring: refused, epoll instead" refused
else
	skip "uring: refused, epoll instead" "Linux $(uname -r) has no kernel.io_uring_disabled"
fi
try "no session, upcall or channel is left" idle
done_testing
