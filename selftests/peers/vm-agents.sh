#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-agents.sh: agents that come and go on one machine: two side by side, one
# hangs, one is killed in the middle of an upcall, the next one answers what
# waits; then keys changed by hand, metrics, tracepoints. In a guest with the module.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
# shellcheck source=selftests/peers/agents-lib.sh
. "$top/selftests/peers/agents-lib.sh"
mkdir www
echo "the page" > www/page

# ---- one machine, two agents

page() { curl -sS --max-time 60 --cacert "$ca/ca.pem" "https://localhost:44900/page" | cmp - www/page; }
pages() { for _ in $(seq "$1"); do page || return; done; }
no_page() { ! page; }

hang() { # NAME
	local pid
	pid=$(pid_of "$1")
	# shellcheck disable=SC2046
	kill -STOP "$pid" $(workers_of "$pid")
}
one_hangs() {
	local stopped rc
	stopped="$pid_second $(workers_of "$pid_second")"
	hang second
	pages 6
	rc=$?
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
	try "one of them is killed" die second
	try "the other one serves all" pages 4
}

# ---- one agent, and its end in the middle of something

# Half a hello is with a worker when that dies: this handshake is lost, at once, no other is.
half_a_hello() {
	exec 5<> /dev/tcp/127.0.0.1/44900 || return
	printf '\x16\x03\x01\x00\x80\x01\x00' >&5
	until_true 60 under_way && die first && start first && timeout 60 cat <&5 > half
	local rc=$?
	exec 5>&-
	[ $rc -lt 124 ] || { echo "the half one still waits: $rc"; return 1; }
	pages 2
}
under_way() { "$bin/ktlsctl" -s first.sock status | grep '^worker' | grep -qv 'conns=0'; }

# It hangs, and upcalls wait: who comes after it answers them.
next_one_answers() {
	local waiting=() pid
	hang first
	for _ in 1 2 3 4; do page & waiting+=($!); done
	until_true 60 waits 4 || { cat /proc/net/ktls_stat; return 1; }
	config next
	start next || return
	for pid in "${waiting[@]}"; do wait "$pid" || return; done
	die first
	pages 2
}
waits() { [ "$(stat_of CurrUpcalls)" -ge "$1" ]; }

# The same without a moment with two: killed, upcalls wait, the next one starts.
killed_while_they_wait() {
	local waiting=() pid
	hang next
	for _ in 1 2 3 4; do page & waiting+=($!); done
	until_true 60 waits 4 || { cat /proc/net/ktls_stat; return 1; }
	die next && start first || return
	for pid in "${waiting[@]}"; do wait "$pid" || return; done
}

ends() {
	try "killed in the middle of a handshake" half_a_hello
	try "it hangs: another one answers what waits" next_one_answers
	try "it hangs and is killed: the next one answers what waits" killed_while_they_wait
	try "nobody is there: refused at once" nobody_there
}
nobody_there() { end first && no_page && start first && page; }

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
	until_true 60 more_rekeys $((before + 1))
	! "$bin/ktlsctl" rekey fffffffff
}
more_rekeys() { [ "$(stat_of TxRekeys)" -ge "$1" ]; }
traced() { until_true 60 grep -q "$1" "$tracing/trace" || { cat "$tracing/trace"; return 1; }; }
metric() { grep -q "$1" metrics.out || { cat metrics.out; return 1; }; }
by_http() {
	curl -sS --unix-socket first.sock http://localhost/metrics > metrics.http &&
		grep -q '^ktls_handshakes_done_total' metrics.http &&
		! curl -sSf --unix-socket first.sock http://localhost/else
}

told() {
	tracing=/sys/kernel/debug/tracing
	local traces=
	[ -d $tracing/events/ktls ] && traces=1 && echo 1 > $tracing/events/ktls/enable
	try "a session that stays" slow_get
	try "ktlsctl rekey changes both ends' keys" rekey_by_cookie
	if [ "$traces" ]; then
		try "tracepoint: handshake" traced 'ktls_handshake_done.*error=0'
		try "tracepoint: key update" traced 'ktls_key_update.*direction=tx generation=1'
		echo 0 > $tracing/events/ktls/enable
	else
		skip "tracepoints" "this kernel has none"
	fi
	"$bin/ktlsctl" -s first.sock metrics > metrics.out
	try "metrics of the agent" metric '^ktlsd_handshakes_done_total{worker="0"} [0-9]'
	try "metrics of the module" metric '^ktls_tx_rekeys_total [1-9]'
	try "metrics by HTTP" by_http
	try "ktlsctl top" top_shows
	kill $slow
}
top_shows() { "$bin/ktlsctl" top 2 > top.out && grep -q '^[0-9]* sessions' top.out && grep -q '127.0.0.1:44900' top.out; }

[ -d /sys/module/ktls ] || insmod "$VM_MODULE" || exit
! pgrep -x ktlsd > /dev/null || "$agent" stop > /dev/null
side_by_side
[ $failures = 0 ] && ends
told
kill "${servers[@]}" 2> /dev/null
end first
try "no session, upcall or channel is left" idle
done_testing
