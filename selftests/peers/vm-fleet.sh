#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-fleet.sh: two agents in two network namespaces, as on two machines, that
# share their ticket secret by a file and through Redis: sessions of one are
# resumed by the other, after restarts of either too. Then two agents side by
# side, one of which hangs; keys changed by hand; metrics, tracepoints.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
export PATH=$PATH:/usr/sbin:/sbin
mkdir www
echo "the page" > www/page
pids=()

config() { # NAME LINE...: a configuration with a control socket of its own
	local name=$1
	shift
	{
		sed -n '1,/^$/p' "$ca/ktlsd.conf" | sed "s|^control = .*|control = $work/$name.sock|;/^$/d"
		[ $# = 0 ] || printf '%s\n' "$@"
		echo
		sed '1,/^$/d' "$ca/ktlsd.conf"
	} > "$name.conf"
}

serving() { "$bin/ktlsctl" -s "$work/$1.sock" status 2> /dev/null | grep -q '^worker.*ready'; }
start() { # NAME [PREFIX...]
	local name=$1
	shift
	"$@" "$bin/ktlsd" --config "$work/$name.conf" >> "$work/$name.log" 2>&1 < /dev/null &
	pids+=($!)
	disown
	eval "pid_$name=$!"
	until_true 60 serving "$name" || { tail "$work/$name.log"; return 1; }
}
end() { # NAME
	local pid
	pid=$(eval "echo \$pid_$1")
	kill "$pid"
	until_true 20 gone "$pid" || kill -9 "$pid"
}

# ---- two machines: namespaces left and right; the client is in each in turn

machines() {
	local n
	for n in left right; do
		ip netns add $n && ip -n $n link set lo up || return
		ip netns exec $n sysctl -qw net.ipv4.ip_local_port_range="20000 60000"
	done
}

web() { # NAME
	ip netns exec "$1" "$bin/ktls-serve" -r www -p 443 -i ecdsa > "$work/web.$1" 2>&1 < /dev/null &
	servers+=($!)
	disown
	until_true 20 web_listens "$1"
}
web_listens() { ip netns exec "$1" ss -Hltn "sport = :443" | grep -q .; }

get() { # NAME OPTION...: says whether the session was resumed
	printf 'GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
		ip netns exec "$1" timeout 60 openssl s_client -ign_eof -connect 127.0.0.1:443 -servername localhost \
			-CAfile "$ca/ca.pem" -verify_return_error "${@:2}" > got 2> err
	grep -q "the page" got || { cat err got; return 1; }
	grep -aoE '^(New|Reused)' got | tail -n 1
}

# Of 2 N connections N are resumed: each second one, at the other machine.
every_second() { # N
	local i how here=left there=right reused=0
	for i in $(seq "$1"); do
		rm -f session
		how=$(get $here -sess_out session) || { echo "$how"; return 1; }
		[ "$how" = New ] || { echo "the first is $how"; return 1; }
		how=$(get $there -sess_in session) || { echo "$how"; return 1; }
		[ "$how" != Reused ] || reused=$((reused + 1))
		[ $here = left ] && here=right there=left || here=left there=right
	done
	echo "$reused of $(($1 * 2)) resumed"
	[ $reused = "$1" ]
}

both_restarted() {
	local n
	for n in left right; do
		end $n && start $n ip netns exec $n || return
	done
	every_second 1
}

one_restarted() { # the ticket is from before
	rm -f session
	get left -sess_out session > /dev/null && end right && start right ip netns exec right &&
		[ "$(get right -sess_in session)" = Reused ]
}

fleet() { # WHAT LINE
	local n
	for n in left right; do
		config $n "$2"
		try "$1: agent on the $n" start $n ip netns exec $n
	done
	try "$1: every second connection is resumed, at the other machine" every_second 2
	try "$1: after a restart of one, with a ticket from before" one_restarted
	try "$1: after a restart of both" both_restarted
	for n in left right; do end $n; done
}

own_keys() { # without a common secret the other one's ticket is worth nothing
	local n
	for n in left right; do
		config $n
		start $n ip netns exec $n || return
	done
	rm -f session
	get left -sess_out session > /dev/null && [ "$(get right -sess_in session)" = New ]
	n=$?
	end left
	end right
	return $n
}

redis() {
	redis-server --port 0 --unixsocket "$work/redis.sock" --save "" --dir "$work" > redis.log 2>&1 < /dev/null &
	servers+=($!)
	disown
	until_true 30 test -S redis.sock
}

# ---- one machine, two agents

page() { curl -sS --max-time 60 --cacert "$ca/ca.pem" "https://localhost:44900/page" | cmp - www/page; }
pages() { for _ in $(seq "$1"); do page || return; done; }
workers_of() { pgrep -P "$1"; }

one_hangs() {
	local pid=$pid_second stopped
	stopped="$pid $(workers_of "$pid")"
	# shellcheck disable=SC2086
	kill -STOP $stopped
	pages 6
	local rc=$?
	# shellcheck disable=SC2086
	kill -CONT $stopped
	return $rc
}

side_by_side() {
	config first
	config second
	try "two agents side by side" start first
	try "the second one" start second
	serve 44900 "$bin/ktls-serve" -r www -p 44900 -i ecdsa
	try "serve together" pages 4
	try "one of them hangs, and nobody notices" one_hangs
	end second
	try "one of them goes" pages 2
}

# ---- keys by hand, what is told

slow_get() { # a session that stays
	"$bin/ktls-cat" -T test -n localhost 127.0.0.1 44900 > slow.out 2> slow.err < <(sleep 30) &
	slow=$!
	until_true 30 client_session
}
client_session() { "$bin/ktlsctl" sessions | grep -q 'client open'; }
rekey_by_cookie() {
	local cookie before
	cookie=$("$bin/ktlsctl" sessions | awk '$2 == "client" && $3 == "open" { print $1; exit }')
	before=$(stat_of TxRekeys)
	"$bin/ktlsctl" --both rekey "$cookie" || return
	until_true 20 more_rekeys $((before + 1))
	! "$bin/ktlsctl" rekey fffffffff
}
more_rekeys() { [ "$(stat_of TxRekeys)" -ge "$1" ]; }
traced() { until_true 10 grep -q "$1" "$tracing/trace" || { cat "$tracing/trace"; return 1; }; }
metric() { grep -q "$1" metrics.out || { cat metrics.out; return 1; }; }
by_http() {
	curl -sS --unix-socket first.sock http://localhost/metrics > metrics.http &&
		grep -q '^ktls_handshakes_done_total' metrics.http &&
		! curl -sSf --unix-socket first.sock http://localhost/else
}

told() {
	tracing=/sys/kernel/debug/tracing
	echo 1 > $tracing/events/ktls/enable
	try "a session that stays" slow_get
	try "ktlsctl rekey changes both ends' keys" rekey_by_cookie
	try "tracepoint: handshake" traced 'ktls_handshake_done.*error=0'
	try "tracepoint: key update" traced 'ktls_key_update.*direction=tx generation=1'
	echo 0 > $tracing/events/ktls/enable
	"$bin/ktlsctl" -s first.sock metrics > metrics.out
	try "metrics of the agent" metric '^ktlsd_handshakes_done_total{worker="0"} [0-9]'
	try "metrics of the module" metric '^ktls_tx_rekeys_total [1-9]'
	try "metrics by HTTP" by_http
	try "ktlsctl top" top_shows
	kill $slow
}
top_shows() { "$bin/ktlsctl" top 2 > top.out && grep -q '^[0-9]* sessions' top.out && grep -q '127.0.0.1:44900' top.out; }

"$agent" stop > /dev/null
try "two namespaces" machines
openssl rand -hex 32 > secret
web left && web right
try "own keys: nothing is shared" own_keys
fleet "a file" "ticket-secret = $work/secret"
if have redis-server; then
	try "redis-server" redis
	fleet "Redis" "ticket-redis = $work/redis.sock"
else
	skip "Redis" "redis-server is not installed"
fi
kill "${servers[@]}" 2> /dev/null
side_by_side
told
kill "${servers[@]}" 2> /dev/null
end first
ip netns del left
ip netns del right
try "no session, upcall or channel is left" idle

done_testing
