#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# agent.sh start|stop [CONFIG]: the agent inside a guest, with the test
# certificates; start returns when it serves, stop when it is gone.
top=$(cd "$(dirname "$0")/../.." && pwd)
config=${2:-$top/build/ca/ktlsd.conf}
log=/run/vm/ktlsd.log
[ -d /run/vm ] || log=/run/ktlsd.log

serving() {
	"$top/build/bin/ktlsctl" status 2> /dev/null | grep -q '^worker.*ready'
}

start() {
	mkdir -p /run/ktlsd
	"$top/build/bin/ktlsd" --config "$config" >> "$log" 2>&1 < /dev/null &
	local pid=$! i
	disown
	for i in $(seq 150); do
		serving && return 0
		kill -0 $pid 2> /dev/null || break
		sleep 0.1
	done
	echo "agent: ktlsd does not serve; its last words:"
	tail -20 "$log"
	return 1
}

stop() {
	local i
	pkill -TERM -x ktlsd
	for i in $(seq 50); do
		pgrep ktlsd > /dev/null || return 0
		sleep 0.1
	done
	echo "agent: ktlsd is still there 5 s after SIGTERM"
	return 1
}

case $1 in
start) start ;;
stop) stop ;;
esac
