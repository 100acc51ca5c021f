# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the vm-*.sh scripts: TAP, servers that are waited for, counters.
# They run as root in a guest whose module is loaded; the certificates are
# those of scripts/test-ca.sh. Nothing is written but below $work.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$top/build/bin
ca=$top/build/ca
agent=$top/selftests/vm/agent.sh
peer_py="/usr/bin/python3 $top/selftests/peers/vm_peer.py"
work=$(mktemp -d /tmp/vm-peers.XXXXXX)
tests=0 failures=0 servers=() log=$work/log
cd "$work" || exit 1

# Emulated, and with a busy host, a handshake takes what it takes.
handshake_limit() { echo "$1" > /sys/module/ktls/parameters/handshake_timeout_ms; }
[[ "${VM_ACCEL:-}" != tcg* ]] || handshake_limit 240000

finish() {
	# shellcheck disable=SC2046
	kill -9 "${servers[@]}" 2> /dev/null
	wait 2> /dev/null
	rm -rf "$work"
}
trap finish EXIT

# try NAME COMMAND...: one test; what it said follows if it failed.
try() {
	local name=$1 rc=0 began=$SECONDS
	shift
	"$@" > "$log" 2>&1 || rc=$?
	tests=$((tests + 1))
	if [ $rc = 0 ]; then
		echo "ok $tests - $name"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $name"
		echo "# status $rc"
		tail -n 25 "$log" | tr -cd '\11\12\40-\176' | cut -c1-300 | sed 's/^/# /'
	fi
	[ $((SECONDS - began)) -lt 5 ] || echo "# that took $((SECONDS - began)) s"
}

skip() { # NAME REASON
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

done_testing() {
	echo "1..$tests"
	[ $failures = 0 ]
	exit
}

have() { command -v "$1" > /dev/null; }

# until_true SECONDS COMMAND...: wait, but not for ever.
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# Out of /proc and without a process: where emulated, each costs a second.
listening() { # PORT
	local file port where state
	printf -v port :%04X "$1"
	for file in /proc/net/tcp /proc/net/tcp6; do
		while read -r _ where _ state _; do
			[[ $where = *$port && $state = 0A ]] && return
		done < $file
	done
	return 1
}

# serve PORT COMMAND...: start a server, wait until it listens; $server is its pid.
serve() {
	local port=$1
	shift
	"$@" > "$work/server.$port" 2>&1 < /dev/null &
	server=$!
	disown $server
	servers+=("$server")
	until_true 240 listening "$port" && return
	echo "# $1 does not listen on $port:"
	sed 's/^/# /' "$work/server.$port"
	return 1
}

# What a server said, for the log of a failed test.
said() { tail -n 15 "$work/server.$1"; }

stop() { # PID
	kill "$1" 2> /dev/null
	until_true 5 gone "$1" || kill -9 "$1"
} 2> /dev/null

gone() { ! kill -0 "$1" 2> /dev/null; }

stat_of() { awk -v n="Ktls$1" '$1 == n { print $2 }' /proc/net/ktls_stat; }

# Everything that counts what is open is back at 0.
gauges_zero() { ! awk '/^KtlsCurr/ && $2 != 0 { bad = 1 } END { exit !bad }' /proc/net/ktls_stat; }

idle() {
	until_true "${1:-15}" gauges_zero || { cat /proc/net/ktls_stat; return 1; }
}
