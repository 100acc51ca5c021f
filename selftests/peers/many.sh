#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# many.sh: SITES identities on disk, of which the agent loads what clients ask
# for: the start, changed and broken files, the bound, wildcards, the choice by
# ALPN. OpenSSL is the client; the agent relays, so no module is needed.
# As root: the agent's workers become another user.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the agent's workers change their user: run as root"; exit 4; }
[ ! -d /sys/module/ktls ] || { echo "1..0 # SKIP the module is loaded here, it comes first"; exit 4; }
# shellcheck source=selftests/peers/vm-lib.sh
. "$top/selftests/peers/vm-lib.sh"
chmod 755 "$work"
export KTLS_RELAY=$work/relay
sites=$work/sites
number=${SITES:-2000}
held=64
web=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir www "$sites"
echo "the page" > www/page

issue() { # FILE NAMES [SUBJECT]: a certificate for the key site.key
	openssl req -new -key site.key -subj "/CN=${3:-site}" -out csr 2> /dev/null
	printf 'subjectAltName=%s\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n' "$2" > ext
	openssl x509 -req -in csr -CA "$ca/ca.pem" -CAkey "$ca/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
		-days 30 -sha256 -extfile ext -out "$1" 2> /dev/null
}
make_sites() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out site.key 2> /dev/null
	issue site.pem DNS:site-000000.test site-000000.test
	"$bin/many-sites" "$ca/ca.pem" "$ca/ca.key" site.pem "$work/site.key" "$sites" "$number"
}
started() { grep -q "serving with" agent.log; }
start_agent() {
	local began
	cat > conf <<-END
	[agent]
	control = $work/control
	relay = $KTLS_RELAY
	workers = 2
	identity-cache = $held
	[identities protocol]
	certificate = $work/protocol/*.pem
	key = $work/protocol/*.key
	alpn = http/1.1
	allow = uid:0
	[identities sites]
	certificate = $sites/*/cert.pem
	key = $sites/*/key.pem
	allow = uid:0
	END
	mkdir protocol
	began=$(date +%s%N)
	"$bin/ktlsd" -c conf > agent.log 2>&1 < /dev/null &
	keeper=$!
	servers+=($keeper)
	until_true 60 started || { cat agent.log; return 1; }
	echo "# $number identities on disk: serving after $((($(date +%s%N) - began) / 1000000)) ms" >&3
}
count() { "$bin/ktlsctl" -s "$work/control" status | sed -n 's/^loaded //p'; }
counts() { # PATTERN
	count | grep -qE "$1" || { count; return 1; }
}
# What the server presents for a name, and whether it verifies.
shake() { # NAME [OPTION...]
	timeout 60 openssl s_client -connect "127.0.0.1:$web" -servername "$1" -verify_hostname "$1" \
		-CAfile "$ca/ca.pem" "${@:2}" < /dev/null > got 2>&1
}
good() { shake "$@" && grep -q "Verify return code: 0" got || { cat got; return 1; }; }
refused() { ! shake "$@" && grep -q "unrecognized name" got || { cat got; return 1; }; }
serial() { openssl x509 -in "${1:-got}" -noout -serial; }
presents() { shake "$1" "${@:3}"; [ "$(serial)" = "$(serial "$2")" ]; }
some() {
	for i in $(seq 0 $((number / 7)) $((number - 1))); do good "$(printf 'site-%06d.test' "$i")" || return; done
	good "$(printf 'site-%06d.test' $((number - 1)))" -tls1_3
}
twice() { # the second from a cache: one load for each worker at most
	local before
	good site-000001.test && good site-000001.test && good SITE-000001.TEST
	before=$(count)
	for _ in 1 2 3 4; do good site-000001.test || return; done
	[ "$(count)" = "$before" ]
}
unknown() {
	local name
	for name in site-999999.test www.example.com ..test a..test "$(printf '%063d.%063d.%063d.test' 1 2 3)"; do
		refused "$name" || return
	done
}
renamed() {
	issue new.pem DNS:site-000002.test
	good site-000002.test && ! presents site-000002.test new.pem || return
	cp new.pem "$sites/site-000002.test/new" && mv "$sites/site-000002.test/new" "$sites/site-000002.test/cert.pem"
	until_true 60 presents site-000002.test new.pem
}
rewritten() {
	issue new.pem DNS:site-000003.test
	good site-000003.test || return
	cat new.pem > "$sites/site-000003.test/cert.pem"
	until_true 60 presents site-000003.test new.pem
}
complained() { # the file is looked at when a client asks
	good site-000004.test && grep -q "site-000004.test: key .* is not that of certificate" agent.log
}
new_key() { # another key: between the two writes they do not fit, and the old pair serves
	local old=$sites/site-000004.test
	good site-000004.test || return
	cp "$old/cert.pem" before.pem
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.key 2> /dev/null
	mv site.key kept.key; cp other.key site.key; issue new.pem DNS:site-000004.test; mv kept.key site.key
	cp new.pem "$old/x" && mv "$old/x" "$old/cert.pem"
	until_true 60 complained && [ "$(serial)" = "$(serial before.pem)" ] || return
	cp other.key "$old/y" && mv "$old/y" "$old/key.pem"
	until_true 60 presents site-000004.test new.pem
}
complained_too() { good site-000005.test && grep -q "site-000005.test: certificate .* has no certificates in PEM form" agent.log; }
broken() {
	good site-000005.test || return
	echo "no certificate" > "$sites/site-000005.test/cert.pem"
	until_true 60 complained_too
}
removed() {
	good site-000006.test || return
	rm -r "$sites/site-000006.test"
	until_true 60 refused site-000006.test
}
bounded() {
	local i
	for i in $(seq 100 $((100 + held + 40))); do good "$(printf 'site-%06d.test' "$i")" || return; done
	counts "^ *$held by name" && counts "[1-9][0-9]* put away" && good site-000100.test
}
wildcard() {
	mkdir "$sites/_.wild.test"
	issue "$sites/_.wild.test/cert.pem" 'DNS:*.wild.test'
	ln -s "$work/site.key" "$sites/_.wild.test/key.pem"
	good a.wild.test && good b.wild.test && refused a.b.wild.test && refused wild.test
}
exact_first() { # one that comes later is seen, though the wildcard is in the caches
	good c.wild.test || return
	mkdir "$work/c.wild.test"
	issue "$work/c.wild.test/cert.pem" DNS:c.wild.test
	ln -s "$work/site.key" "$work/c.wild.test/key.pem"
	mv "$work/c.wild.test" "$sites/"
	until_true 60 presents c.wild.test "$sites/c.wild.test/cert.pem"
}
by_alpn() {
	issue protocol/site-000007.test.pem DNS:site-000007.test
	ln -s "$work/site.key" protocol/site-000007.test.key
	presents site-000007.test "$sites/site-000007.test/cert.pem" &&
		presents site-000007.test protocol/site-000007.test.pem -alpn http/1.1 &&
		presents site-000008.test "$sites/site-000008.test/cert.pem" -alpn http/1.1
}
tls12_too() { good site-000009.test -tls1_3 && good site-000010.test -groups P-384; }
request() { # NAME OPTION...: until the server closes, with the tickets that came before
	printf 'GET /page HTTP/1.0\r\n\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$web" -servername "$1" \
		-ign_eof -CAfile "$ca/ca.pem" "${@:2}" > got 2>&1
	grep -q "the page" got
}
resumed() {
	request site-000011.test -sess_out session && grep -q "^New, TLSv1.3" got &&
		request site-000011.test -sess_in session && grep -q "^Reused, TLSv1.3" got && return
	cat got
	return 1
}
reloaded() {
	kill -HUP "$keeper"
	until_true 60 grep -q "new configuration is in force" agent.log && good site-000012.test &&
		counts "^ *1 by name"
}
at_once() { # many names at a time, more than are kept
	local pids=() i p
	for i in $(seq 300 340); do
		timeout 60 openssl s_client -connect "127.0.0.1:$web" -servername "$(printf 'site-%06d.test' "$i")" \
			-verify_hostname "$(printf 'site-%06d.test' "$i")" -verify_return_error -CAfile "$ca/ca.pem" \
			< /dev/null > "got.$i" 2>&1 & pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || return; done
}
memory() {
	local pid
	for pid in "$keeper" $(pgrep -P "$keeper"); do
		echo "# $(cat /proc/"$pid"/comm): $(awk '/VmHWM/ { print $2 }' /proc/"$pid"/status) KiB at most" >&3
		[ "$(awk '/VmHWM/ { print $2 }' /proc/"$pid"/status)" -lt 65536 ] || return
	done
}

exec 3>&1
try "$number identities are made" make_sites
try "the agent starts" start_agent
try "and has loaded none" counts "^ *0 by name, 0 loads"
serve "$web" "$bin/ktls-serve" --root www --port "$web"
try "some of them" some
try "loaded once" twice
try "names that there are none for" unknown
try "another certificate put in its place" renamed
try "a certificate written over" rewritten
try "certificate and key changed, one after the other" new_key
try "what is broken does not replace what serves" broken
try "what is removed is not served" removed
try "no more than $held are held" bounded
try "more names at once than that" at_once
try "a wildcard's folder" wildcard
try "a name of its own goes before the wildcard" exact_first
try "another certificate for a protocol" by_alpn
try "other groups" tls12_too
try "resumption" resumed
try "a reload" reloaded
try "the agent's memory" memory
done_testing
