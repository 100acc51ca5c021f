#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-agent-death.sh: 50 sessions transfer, every process of the agent is killed:
# the sessions go on, a new handshake says why it can't, and is served as soon
# as the agent is back; nothing leaks. In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
sessions=50 port=44500
module=${VM_MODULE:?path of ktls.ko}

mkdir www
head -c 1000000 /dev/urandom > www/file
head -c 1000 /dev/urandom > www/small

received() { cat progress 2> /dev/null || echo 0; }
transferring() { [ "$(received)" -gt $((sessions * 4096)) ]; }
open_sessions() { [ "$(stat_of CurrSessions)" -ge "$1" ]; }
small() {
	timeout 20 curl -sS --cacert "$ca/ca.pem" "https://localhost:$port/small" | cmp - www/small
}
no_small() { ! small; }
no_agent() { ! pgrep ktlsd; }

# The clients read slowly until told to hurry, and buffers are small, so that
# most is encrypted after the agent's death.
buffers=$(sysctl -e net.ipv4.tcp_wmem net.ipv4.tcp_rmem | tr '\t' ' ' | sed 's/ = /=/')
trap 'sysctl -qp - <<< "$buffers"; finish' EXIT
sysctl -qw net.ipv4.tcp_wmem='4096 16384 65536' net.ipv4.tcp_rmem='4096 65536 131072'
serve $port "$bin/ktls-serve" --root www --port $port --identity ecdsa
$peer_py slow $port "$ca/ca.pem" /file www/file $sessions hurry > clients.log 2>&1 &
clients=$!

try "$sessions sessions are established" until_true 60 open_sessions $sessions
try "and transfer" until_true 60 transferring
pkill -9 ktlsd
try "every process of the agent is dead" until_true 30 no_agent
before=$(received) encrypted=$(stat_of TxBytes)
try "a new handshake fails at once" no_small
on() { [ "$(received)" -gt $((before + 50000)) ] && [ "$(stat_of TxBytes)" -gt $((encrypted + 50000)) ]; }
try "the sessions go on transferring" until_true 60 on
try "all $sessions are open still" open_sessions $sessions
try "the agent comes back" "$agent" start
try "and serves a new handshake" small

whole() {
	touch hurry
	wait $clients || { cat clients.log; return 1; }
}
try "all $sessions files came whole" whole
stop $server
try "no session, upcall or channel is left" idle
"$agent" stop > /dev/null
try "the module lets itself be unloaded" rmmod ktls
try "and loaded again" insmod "$module"
try "with an agent" "$agent" start
done_testing
