#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# native-lib.sh: what native.sh and native12.sh have in common: a folder with
# certificates, servers that are started on a port of their own, peers whose
# output is looked at, TAP.
# shellcheck disable=SC2034
here=$(cd "$(dirname "$0")" && pwd)
peer=$(realpath "$1")
dir=$(mktemp -d)
port=${PEER_PORT:-25400}
pass=0 fail=0 skip=0
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT
"$here/../unit/pki.sh" "$dir"
cd "$dir" || exit 1

have() { command -v "$1" >/dev/null; }

ok() { # ok STATUS NAME: one line of TAP; what the command said follows a failure
	if [ "$1" = 0 ]; then
		pass=$((pass + 1))
		echo "ok $((pass + fail + skip)) $2"
	else
		fail=$((fail + 1))
		echo "not ok $((pass + fail + skip)) $2"
		sed 's/^/# /' out.txt server.txt 2>/dev/null | tail -n 20
	fi
}

skipped() { # skipped NAME REASON
	skip=$((skip + 1))
	echo "ok $((pass + fail + skip)) $1 # SKIP $2"
}

start() { # start COMMAND...: a server on $port; PORT in the command is replaced
	port=$((port + 1))
	: > out.txt
	"${@//PORT/$port}" > server.txt 2>&1 < /dev/null &
	server=$!
	pids+=($server)
	for _ in {1..100}; do
		grep -qi ":$(printf %04X "$port") 0*:0000 0A" /proc/net/tcp /proc/net/tcp6 && return
		sleep 0.05
	done
}

stop() {
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
}

expect() { # expect NAME TEXT FILE COMMAND...: the command's output, or the server's, has TEXT
	local name=$1 text=$2 file=$3
	shift 3
	timeout 20 "${@//PORT/$port}" > out.txt 2>&1
	for _ in {1..20}; do
		grep -q -- "$text" "$file" && break
		sleep 0.05
	done
	grep -q -- "$text" "$file"
	ok $? "$name"
}

# Programs that end when their input does are given some time to read the
# answer. The second line is there for a peer that answers a KeyUpdate when it
# next has something to say.
seen() { for _ in {1..40}; do grep -q "^$1" out.txt && break; sleep 0.05; done; }
talk() { (echo hello; seen hello; [ "$lines" = 2 ] && echo again && seen again) | "$@"; }
lines=1

s_client() { talk openssl s_client -connect "127.0.0.1:$port" -servername server.test -CAfile ca.pem -verify_return_error "$@"; }
gnutls_cli() { talk gnutls-cli --single-key-share -p "$port" --x509cafile ca.pem --sni-hostname server.test --verify-hostname server.test "$@" 127.0.0.1; }
tstclnt_says() { talk tstclnt -h 127.0.0.1 -p "$port" -a server.test -d sql:nss -V tls1.3:tls1.3 "$@"; }
fetch() { curl -sS --cacert ca.pem --resolve "server.test:$port:127.0.0.1" "$@" "https://server.test:$port/"; }
export_client() { s_client -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32; }
export -f export_client s_client gnutls_cli tstclnt_says fetch talk seen
export lines

run() { # a shell function under timeout
	expect "$1" "$2" "$3" bash -c "port=$port; \"\$@\"" bash "${@:4}"
}


done_testing() {
	echo "1..$((pass + fail + skip))"
	echo "# $pass passed, $fail failed, $skip skipped"
	[ "$fail" = 0 ]
}
