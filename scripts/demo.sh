#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh: the whole system at work. A stock kernel in a VM with module, agent
# and ktls-serve; this machine's own curl (or your browser) is the client.
#
#	DEMO_PORT=8443	where it answers, on 127.0.0.1
#	DEMO_ONCE=1	end after the fetch; else it stays until Ctrl-C
#	K=6.12		the kernel series
#	RELAY=1		neither VM nor module: the agent encrypts, here
set -uo pipefail
cd "$(dirname "$0")/.." || exit
port=${DEMO_PORT:-8443} once=${DEMO_ONCE:-} K=${K:-6.12}
run=build/demo url=https://localhost:$port/
started=$SECONDS
mkdir -p $run

step() { printf 'demo: %s\n' "$*"; }
fail() { step "$*"; exit 1; }

# Quiet where all is well; the last lines of the log where it is not.
quietly() { # WHAT COMMAND...
	local what=$1
	shift
	step "$what"
	"$@" > $run/log 2>&1 && return
	tail -n 30 $run/log
	fail "that failed; the whole log is $run/log"
}

build() {
	scripts/deps.sh build vm module || return
	make -s -j2 K="$K" agent tools vm-module test-ca
}

# What the guest runs. It ends when the host makes $run/end (by 9p).
guest='mkdir -p /run/vm/out
build/bin/ktls-serve --root share/www --port 443 --identity ecdsa --log > /run/vm/out/serve 2>&1 &
until [ -e /run/vm/end ]; do
	cp /proc/net/ktls_stat /run/vm/out/stat.new && mv /run/vm/out/stat.new /run/vm/out/stat
	sleep 0.5
done'

boot() {
	rm -rf $run/vm
	mkdir -p $run/vm/out
	touch $run/vm/out/stat
	VM_DIR=$PWD/$run/vm HOSTFWD=$port:443 TIMEOUT=$([ -n "$once" ] && echo 240 || echo 1000000) \
		MEM=768M selftests/vm/boot.sh "$K" "$guest" > $run/guest 2>&1 &
	vm=$!
	trap end EXIT
	trap 'exit 0' INT TERM
}

end() {
	trap - EXIT INT TERM
	touch $run/vm/end
	local i
	for i in $(seq 150); do
		kill -0 $vm 2> /dev/null || return
		sleep 0.1
	done
	kill "$(cat $run/vm/pid)" 2> /dev/null
	wait $vm
}

fetch() { curl -sS --max-time 5 --cacert build/ca/ca.pem "$@"; }

wait_for_answer() {
	local i
	for i in $(seq 180); do
		fetch -o $run/page "$url" 2> $run/curl && return
		kill -0 $vm 2> /dev/null || break
		sleep 0.5
	done
	cat $run/curl $run/guest
	tail -n 5 $run/vm/ktlsd.log 2> /dev/null
	fail "no answer from $url"
}

value() { awk -v n="Ktls$1" '$1 == n { v = $2 } END { print v + 0 }' $run/vm/out/stat; }
field() { sed -n "s/.*\b$1=\(\"[^\"]*\"\|[^ ]*\).*/\1/p" <<< "$2" | tr -d '"'; }

# The counters are copied twice a second: wait until this fetch is in them.
settle() {
	local before i
	before=$(value TxBytes)
	fetch "$url" -o $run/page -w '%{http_code} %{size_download} %{time_appconnect} %{ssl_verify_result}' > $run/curl ||
		fail "the page does not come: $(cat $run/curl)"
	for i in $(seq 240); do
		[ "$(value TxBytes)" -le "${before:-0}" ] || return
		sleep 0.25
	done
	fail "the module's counters do not move: see $run/vm/out/stat"
}

report() {
	local handshake code size seconds verify
	read -r code size seconds verify < $run/curl
	handshake=$(grep 'result=ok' $run/vm/ktlsd.log | tail -1)
	[ "$code" = 200 ] && [ "$verify" = 0 ] || fail "curl got status $code, verification $verify"
	cat <<-EOF

	  curl $(curl --version | awk '{ print $2; exit }') on this machine fetched $url
	    status $code, $size bytes, certificate verified against build/ca/ca.pem
	  The server is ktls-serve in a VM: Linux $(cat "build/vm/$K/release"), the stock Debian kernel, with ktls.ko.
	    It links no TLS library; it makes two setsockopts and one sendfile.
	  The handshake was done by the agent, ktlsd: TLS $(field version "$handshake"), $(field suite "$handshake"),
	    group $(field group "$handshake"), in $(field ms "$handshake") ms ($seconds s as curl saw it, the VM is emulated).
	  The private key "$(field identity "$handshake")" stayed in ktlsd's keeper process; a worker without privileges
	    spoke TLS and asked the keeper for one signature.
	  The traffic keys went from that worker by netlink into the kernel; ktls-serve never had them.
	  Since then the kernel encrypts alone: no user process is on the way of the bytes.

	kernel encrypted $(value TxRecords) records, $(value TxBytes) bytes for $(value HandshakesDone) sessions

	EOF
}

# ---- RELAY=1

relay_build() {
	scripts/deps.sh build && command -v curl > /dev/null || scripts/deps.sh peers || return
	make -s -j2 agent tools test-ca
}

relay_end() {
	trap - EXIT INT TERM
	# shellcheck disable=SC2046
	kill $(jobs -p) 2> /dev/null
	wait
	rm -rf "$sockets"
}

relay_demo() {
	local i handshake
	[ "$(id -u)" = 0 ] || fail "the agent's workers become another user: run this as root"
	quietly "getting what is missing, building agent and tools (log: $run/log)" relay_build
	sockets=$(mktemp -d)
	chmod 755 "$sockets"
	sed "s|^control = .*|control = $sockets/control\nrelay = $sockets/relay|" build/ca/ktlsd.conf > $run/ktlsd.conf
	trap relay_end EXIT
	trap 'exit 0' INT TERM
	build/bin/ktlsd -c $run/ktlsd.conf > $run/ktlsd.log 2>&1 &
	for i in $(seq 300); do grep -qs "serving with" $run/ktlsd.log && break; sleep 0.1; done
	KTLS_RELAY=$sockets/relay build/bin/ktls-serve --root share/www --port "$port" --identity ecdsa > $run/serve 2>&1 &
	for i in $(seq 300); do fetch -o $run/page "$url" 2> $run/curl && break; sleep 0.1; done
	fetch "$url" -o $run/page -w '%{http_code} %{size_download} %{ssl_verify_result}' > $run/curl ||
		{ cat $run/ktlsd.log $run/serve; fail "no answer from $url: $(cat $run/curl)"; }
	handshake=$(grep 'result=ok' $run/ktlsd.log | tail -1)
	cat <<-EOF

	  curl on this machine fetched $url: status, bytes, verification: $(cat $run/curl)
	  ktls-serve links no TLS library. The module is not loaded, so the agent relays: TLS $(field version "$handshake"),
	    $(field suite "$handshake"), group $(field group "$handshake"); records are made in a worker without privileges.
	  What this way cannot do: KTLS_INFO, rekey on request, outliving the agent (ktlsd.conf(5), relay).

	EOF
	step "$((SECONDS - started)) s from the command to the page"
	[ -z "$once" ] || exit 0
	step "open $url in a browser; Ctrl-C ends"
	wait
}

[ -z "$(ss -Hltn "sport = :$port" 2> /dev/null)" ] || fail "port $port is taken: choose another with DEMO_PORT=..."
[ -z "${RELAY:-}" ] || { relay_demo; exit; }
quietly "getting what is missing, building module, agent and tools (log: $run/log)" build
boot
step "booting Linux $(cat "build/vm/$K/release" 2> /dev/null) in a VM"
wait_for_answer
settle
report
step "$((SECONDS - started)) s from the command to the page"
[ -z "$once" ] || exit 0
step "open $url in a browser (its authority, build/ca/ca.pem, is a throw-away one); Ctrl-C ends"
wait $vm
