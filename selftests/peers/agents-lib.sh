# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced after vm-lib.sh by scripts with several agents: each has a name, and
# by that a configuration, a control socket and a log in $work.

config() { # NAME LINE...: the test configuration, these lines more in its first section
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
	eval "logged_$name=$(logged "$name")"
	"$@" "$bin/ktlsd" --config "$work/$name.conf" >> "$work/$name.log" 2>&1 < /dev/null &
	servers+=($!)
	disown
	eval "pid_$name=$!"
	until_true 60 serving "$name" || { tail "$work/$name.log"; return 1; }
}
pid_of() { eval "echo \$pid_$1"; }	# NAME
workers_of() { pgrep -P "$1"; }
end() { # NAME
	local pid
	pid=$(pid_of "$1")
	kill "$pid"
	until_true 20 gone "$pid" || kill -9 "$pid"
}
die() { # NAME: keeper and workers at once
	local pid
	pid=$(pid_of "$1")
	# shellcheck disable=SC2046
	kill -9 "$pid" $(workers_of "$pid") 2> /dev/null
	until_true 20 gone "$pid"
}

# counted WHAT NAME...: a counter of these agents, over all their workers.
counted() {
	local what=$1 name
	shift
	for name; do "$bin/ktlsctl" -s "$work/$name.sock" metrics; done |
		awk -v n="ktlsd_handshakes_${what}_total" '$1 ~ "^" n "{" { sum += $2 } END { print sum + 0 }'
}

# Workers tell the keeper once a second: is it all that the logs have since the start?
logged() { cat "$work/$1.log" 2> /dev/null | grep -c result=ok; }	# NAME
told() { # NAME...
	local name
	for name; do
		[ "$(counted done "$name")" = $(($(logged "$name") - $(eval "echo \$logged_$name"))) ] || return
	done
}
