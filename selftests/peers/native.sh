#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# native.sh HS-PEER: our handshake, as server and as client, against other
# implementations: OpenSSL, GnuTLS, curl, Python's ssl, Chromium. For each cipher, group
# and HelloRetryRequest; then each kind of key, ALPN, client certificates, key
# updates, and failures with the alert that the peer must see. TAP; exit 1 if
# anything failed. A peer that isn't installed is skipped and counted.
# shellcheck source=selftests/peers/native-lib.sh
. "$(dirname "$0")/native-lib.sh"

declare -A cipher=([51]=AES_128_GCM [52]=AES_256_GCM [54]=CHACHA20_POLY1305)
declare -A gcipher=([51]=AES-128-GCM [52]=AES-256-GCM [54]=CHACHA20-POLY1305)
declare -A group=([x25519]=29 [secp256r1]=23 [retry]=23)
declare -A ogroups=([x25519]=X25519 [secp256r1]=P-256:X25519 [retry]=X25519:P-256)
declare -A ggroups=([x25519]=+GROUP-X25519 [secp256r1]=+GROUP-SECP256R1:+GROUP-X25519 [retry]=+GROUP-X25519:+GROUP-SECP256R1)
declare -A retried=([x25519]=0 [secp256r1]=0 [retry]=1)

our_server() {
	local c g end prio
	for c in 51 52 54; do for g in x25519 secp256r1 retry; do
		start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -e "$c" -g "${group[$g]}"
		end="${cipher[$c]} $g"
		prio="NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:${ggroups[$g]}"
		run "server, s_client, $end" ^hello out.txt s_client -groups "${ogroups[$g]}"
		tail -n 1 server.txt | grep -q "${cipher[$c]}.*retried ${retried[$g]}"
		ok $? "server, s_client, $end: what was agreed"
		if have gnutls-cli; then
			run "server, gnutls-cli, $end" ^hello out.txt gnutls_cli --priority "$prio"
			tail -n 1 server.txt | grep -q "${cipher[$c]}.*retried ${retried[$g]}"
			ok $? "server, gnutls-cli, $end: what was agreed"
		else
			skipped "server, gnutls-cli, $end" "not installed"
		fi
		if have curl; then
			run "server, curl, $end" "hello from hs-peer" out.txt fetch --tlsv1.3 --curves "${ogroups[$g]}"
		else
			skipped "server, curl, $end" "not installed"
		fi
		expect "server, python, $end" "hello" out.txt python3 "$here/echo.py" connect PORT server.test ca.pem
		stop
	done; done
}

our_client() {
	local c g end us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)
	for c in 51 52 54; do for g in x25519 secp256r1 retry; do
		end="${cipher[$c]} $g"
		us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -e "$c")
		case $g in
		x25519) us+=(-g 29) ;;
		secp256r1) us+=(-g 23,29) ;;
		retry) us+=(-g 29,23) ;;
		esac
		og=${ogroups[$g]} gg=${ggroups[$g]}
		[ $g = retry ] && og=P-256 gg=+GROUP-SECP256R1
		start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev -groups "$og"
		expect "client, s_server, $end" "${cipher[$c]}.*verified 1 retried ${retried[$g]}" out.txt "${us[@]}" -x olleh
		stop
		if have gnutls-serv; then
			start gnutls-serv --echo -p PORT --x509certfile p256.pem --x509keyfile p256.key \
				--priority "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:$gg"
			expect "client, gnutls-serv, $end" "${cipher[$c]}.*verified 1 retried ${retried[$g]}" out.txt "${us[@]}"
			stop
		else
			skipped "client, gnutls-serv, $end" "not installed"
		fi
		start python3 "$here/echo.py" serve PORT p256.pem p256.key $([ $g = retry ] && echo prime256v1)
		expect "client, python, $end" "${cipher[$c]}.*verified 1 retried ${retried[$g]}" out.txt "${us[@]}"
		stop
	done; done
}

# The groups beside the two that run with everything above: number, and their
# names with OpenSSL and GnuTLS. First as the peer's only one, then by a retry.
more_groups() {
	local id o g us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)
	while read -r id o g; do
		start "$peer" -s -p PORT -c p256.pem -k p256.key -g "$id"
		run "server, s_client, $o" ^hello out.txt s_client -groups "$o"
		run "server, s_client, $o after a retry" ^hello out.txt s_client -groups "X25519:$o"
		run "server, gnutls-cli, $o" ^hello out.txt gnutls_cli --priority "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-$g"
		[ "$(grep -c "^done.*retried 0" server.txt)$(grep -c "^done.*retried 1" server.txt)" = 21 ]
		ok $? "server, $o: one retry of three"
		stop
		start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev -groups "$o"
		expect "client, s_server, $o" "verified 1 retried 0" out.txt "${us[@]}" -g "$id" -x olleh
		expect "client, s_server, $o after a retry" "verified 1 retried 1" out.txt "${us[@]}" -g "29,$id" -x olleh
		stop
		start gnutls-serv --echo -p PORT --x509certfile p256.pem --x509keyfile p256.key \
			--priority "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-$g"
		expect "client, gnutls-serv, $o" "verified 1 retried 0" out.txt "${us[@]}" -g "$id"
		stop
	done <<- END
		24 P-384 SECP384R1
		25 P-521 SECP521R1
		30 X448 X448
		256 ffdhe2048 FFDHE2048
		257 ffdhe3072 FFDHE3072
		258 ffdhe4096 FFDHE4096
	END
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev
	expect "client with its default groups, s_server that has no ML-KEM" "group x25519 .*verified 1 retried 0" out.txt "${us[@]}" -x olleh
	stop
}

# A page fetched by a browser, whose log says which group it was.
browser() { # browser NAME GROUP RETRIED HS-PEER-OPTIONS...
	local name=$1 group=$2 retried=$3 pin
	shift 3
	if ! have chromium; then
		skipped "server, Chromium, $name" "not installed"
		return
	fi
	rm -rf profile netlog.json
	pin=$(openssl x509 -in p256.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)
	start stdbuf -oL "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test "$@"
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$PWD/profile" \
		--no-first-run --disable-background-networking --disable-component-update --disable-sync \
		--host-resolver-rules="MAP server.test 127.0.0.1" --ignore-certificate-errors-spki-list="$pin" \
		--log-net-log="$PWD/netlog.json" --dump-dom "https://server.test:$port/" > out.txt 2> /dev/null
	grep -q "hello from hs-peer" out.txt
	ok $? "server, Chromium, $name: the page"
	grep -q "\"key_exchange_group\":$group[,}]" netlog.json && grep -q "retried $retried" server.txt
	ok $? "server, Chromium, $name: the group in its log"
	stop
}

kinds_of_key() {
	local kind
	for kind in p256 p384 p521 rsa rsapss ed25519; do
		start "$peer" -s -p PORT -c $kind.pem -k $kind.key
		run "server, s_client, $kind" ^hello out.txt s_client
		run "server, gnutls-cli, $kind" ^hello out.txt gnutls_cli
		stop
		start openssl s_server -accept PORT -cert $kind.pem -key $kind.key -tls1_3 -rev
		expect "client, s_server, $kind" "verified 1" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -x olleh
		stop
		# The client's certificate, and the server's key of the same kind.
		start "$peer" -s -p PORT -c $kind.pem -k $kind.key -A ca.pem -R
		run "server, s_client with its own $kind certificate" "^hello" out.txt s_client -cert $kind.pem -key $kind.key
		grep -q "peer [12] verified 1" server.txt
		ok $? "server, s_client with its own $kind certificate: verified"
		stop
		start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev -CAfile ca.pem -Verify 1 -verify_return_error
		expect "client with its own $kind certificate, s_server" "^done" out.txt "$peer" -h 127.0.0.1 -p PORT \
			-n server.test -A ca.pem -c $kind.pem -k $kind.key -x olleh
		stop
	done
}

# Kinds of key that are off unless named: name and number of the scheme.
optional_kinds() {
	local kind id us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)
	while read -r kind id; do
		start "$peer" -s -p PORT -c $kind.pem -k $kind.key -j "$id" -A ca.pem -R
		run "server, s_client with its own certificate, $kind" ^hello out.txt s_client -cert $kind.pem -key $kind.key
		run "server, gnutls-cli with its own certificate, $kind" ^hello out.txt gnutls_cli --x509certfile $kind.pem --x509keyfile $kind.key
		[ "$(grep -c "scheme $kind .*peer [12] verified 1" server.txt)" = 2 ]
		ok $? "server, $kind: both were verified"
		stop
		start "$peer" -s -p PORT -c $kind.pem -k $kind.key
		run "server that does not name $kind, s_client" "alert number 40" out.txt s_client
		stop
		start openssl s_server -accept PORT -cert $kind.pem -key $kind.key -tls1_3 -rev -CAfile ca.pem -Verify 1 -verify_return_error
		expect "client with its own certificate, s_server, $kind" "scheme $kind .*verified 1" out.txt "${us[@]}" -j "$id" \
			-c $kind.pem -k $kind.key -x olleh
		expect "client that does not name $kind, s_server" "failed at ServerHello" out.txt "${us[@]}" -x olleh
		stop
		start gnutls-serv --echo -p PORT --x509certfile $kind.pem --x509keyfile $kind.key --require-client-cert \
			--verify-client-cert --x509cafile ca.pem
		expect "client with its own certificate, gnutls-serv, $kind" "scheme $kind .*verified 1" out.txt "${us[@]}" -j "$id" \
			-c $kind.pem -k $kind.key
		stop
	done <<- END
		ed448 0x0808
	END
}

features() {
	start "$peer" -s -p PORT -c p256.pem -k p256.key -a h2,http/1.1
	run "server, s_client, ALPN" "ALPN protocol: h2" out.txt s_client -alpn http/1.1,h2
	run "server, s_client, ALPN without overlap" "alert number 120" out.txt s_client -alpn spdy
	run "server, s_client, no middlebox compatibility" ^hello out.txt s_client -no_middlebox
	run "server, curl, ALPN" "hello from hs-peer" out.txt fetch --tlsv1.3 --http1.1
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -u
	lines=2
	run "server updates its keys, s_client" ^again out.txt s_client
	run "server updates its keys, gnutls-cli" ^again out.txt gnutls_cli
	[ "$(grep -c "peer updated its keys" server.txt)" -ge 2 ]
	ok $? "server updates its keys, and both answer"
	lines=1
	stop
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev -alpn http/1.1
	expect "client, s_server, ALPN" "alpn .http/1.1." out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -a h2,http/1.1 -x olleh
	expect "client updates its keys, s_server" "peer updated its keys" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -u -x olleh
	expect "client, s_server, no middlebox compatibility" "verified 1" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -M -x olleh
	expect "client, s_server, two key shares" "verified 1" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -S 2 -x olleh
	expect "client, s_server, address instead of a name" "verified 1" out.txt "$peer" -h 127.0.0.1 -p PORT -n 127.0.0.1 -A ca.pem -x olleh
	stop
}

key=0011223344556677889900aabbccddee

resumption() {
	local c us end
	for c in 51 52 54; do
		end="${cipher[$c]}"
		start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -e "$c" -T 2
		run "server, s_client gets tickets, $end" ^hello out.txt s_client -sess_out session.pem
		run "server, s_client resumes, $end" "^Reused" out.txt s_client -sess_in session.pem
		run "server, gnutls-cli resumes, $end" "This is a resumed session" out.txt gnutls_cli -r
		run "server, curl twice, $end" "hello from hs-peer" out.txt fetch --tlsv1.3 --next "https://server.test:$port/"
		[ "$(grep -c "resumed 1" server.txt)" -ge 2 ]
		ok $? "server, s_client and gnutls-cli resume, $end: agreed"
		stop
		us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -e "$c" -T 2)
		start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev
		expect "client gets a ticket, s_server, $end" "^ticket" out.txt "${us[@]}" -x olleh -O ticket
		expect "client resumes, s_server, $end" "verified 1 retried 0 resumed 1" out.txt "${us[@]}" -x olleh -I ticket
		stop
		start gnutls-serv --echo -p PORT --x509certfile p256.pem --x509keyfile p256.key
		expect "client gets a ticket, gnutls-serv, $end" "^ticket" out.txt "${us[@]}" -O ticket
		expect "client resumes, gnutls-serv, $end" "verified 1 retried 0 resumed 1" out.txt "${us[@]}" -I ticket
		stop
	done
	us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -T 2 -g 29,23)
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev -groups P-256
	expect "client gets a ticket after a retry, s_server" "^ticket" out.txt "${us[@]}" -x olleh -O ticket
	expect "client resumes with a retry, s_server" "verified 1 retried 1 resumed 1" out.txt "${us[@]}" -x olleh -I ticket
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -g 23 -T 2 -A ca.pem -R
	run "server with client certificates gives tickets, s_client" ^hello out.txt s_client -cert p256.pem -key p256.key \
		-groups X25519:P-256 -sess_out session.pem
	run "server resumes with a retry, s_client" "^Reused" out.txt s_client -groups X25519:P-256 -sess_in session.pem
	expect "server resumes: the client is still who it was" "peer 0 verified 1 retried 1 resumed 1" server.txt true
	stop
}

binding() { sed -n 's/.*binding \([0-9A-F]\{64\}\).*/\1/p' "$1" | tail -n 1; }
theirs() { sed -n 's/.*Keying material: \([0-9A-F]\{64\}\).*/\1/p' out.txt | tail -n 1; }

records_and_exporters() {
	local n
	start "$peer" -s -p PORT -c rsa.pem -k rsa.key
	run "server, s_client, tls-exporter" "Keying material" out.txt export_client
	[ -n "$(theirs)" ] && [ "$(theirs)" = "$(binding server.txt)" ]
	ok $? "server, s_client, tls-exporter: the same"
	for n in 512 1024 4096; do
		run "server, gnutls-cli, records of $n bytes" ^hello out.txt gnutls_cli --recordsize $n
		expect "server, gnutls-cli, records of $n bytes: agreed" "limit $n " server.txt true
	done
	stop
	start gnutls-serv --echo --recordsize 600 -p PORT --x509certfile p256.pem --x509keyfile p256.key
	expect "client, gnutls-serv, records of 600 bytes" "limit 600 " out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test \
		-A ca.pem
	stop
}

keys_by_hand() {
	local us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)
	start "$peer" -s -p PORT -c p256.pem -k p256.key -P "alice:$key"
	run "server, s_client, a key by hand" "^hello" out.txt s_client -psk $key -psk_identity alice
	expect "server, s_client, a key by hand: agreed" "psk alice" server.txt true
	run "server, s_client, the wrong key" "alert number 51" out.txt s_client -psk 01$key -psk_identity alice
	run "server, s_client, an unknown name" "^hello" out.txt s_client -psk $key -psk_identity bob
	run "server, gnutls-cli, a key by hand" "^hello" out.txt gnutls_cli --pskusername alice --pskkey $key \
		--priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK
	[ "$(grep -c "psk alice" server.txt)" = 2 ]
	ok $? "server, gnutls-cli, a key by hand: agreed"
	stop
	start openssl s_server -accept PORT -nocert -tls1_3 -rev -psk $key -psk_identity alice
	expect "client, s_server, a key by hand" "psk alice" out.txt "${us[@]}" -x olleh -P "alice:$key"
	expect "client, s_server, the wrong key" "failed at ServerHello" out.txt "${us[@]}" -x olleh -P "alice:01$key"
	stop
}

shows() { for _ in {1..200}; do grep -q "$1" "$2" && break; sleep 0.05; done; }

# s_server asks when its operator says c, gnutls-serv when its client says **REAUTH**.
post_handshake() {
	local us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -Q) kind ca auth=() whose
	for kind in p256 rsa ed25519; do
		start "$peer" -s -p PORT -c p256.pem -k p256.key -A ca.pem -R -Q
		run "server asks s_client after the handshake, $kind" ^hello out.txt s_client -enable_pha -cert $kind.pem -key $kind.key
		expect "server asks s_client after the handshake, $kind: verified" "^post-handshake: peer [12] verified 1" server.txt true
		run "server asks gnutls-cli after the handshake, $kind" ^hello out.txt gnutls_cli --post-handshake-auth \
			--x509certfile $kind.pem --x509keyfile $kind.key
		[ "$(grep -c "^post-handshake: peer [12] verified 1" server.txt)" = 2 ]
		ok $? "server asks gnutls-cli after the handshake, $kind: verified"
		stop
	done
	start "$peer" -s -p PORT -c p256.pem -k p256.key -A ca.pem -Q
	run "server asks s_client that has none" ^hello out.txt s_client -enable_pha
	expect "server asks s_client that has none: and goes on" "^post-handshake: peer 0 verified 0" server.txt true
	run "server does not ask s_client that did not offer it" ^hello out.txt s_client -cert p256.pem -key p256.key
	[ "$(grep -c ^post-handshake server.txt)" = 1 ]
	ok $? "server does not ask s_client that did not offer it: it did not"
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -A ca.pem -R -Q
	run "server requires one after the handshake" "alert number 116" out.txt s_client -enable_pha
	run "server refuses another CA's after the handshake" "alert number 48" out.txt s_client -enable_pha -cert other.pem -key other.key
	stop
	for kind in p256 rsa none; do
		auth=(-c $kind.pem -k $kind.key) whose=hs-peer
		[ $kind = none ] && auth=() whose="no certificate"
		mkfifo command
		exec 3<> command
		start sh -c "exec openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -verify 1 -CAfile ca.pem < command"
		(shows ^hello server.txt; echo c >&3; shows ^post-handshake out.txt; echo olleh >&3) &
		expect "client is asked by s_server, $kind" "^post-handshake: answered with $whose" out.txt "${us[@]}" "${auth[@]}" -x olleh
		exec 3>&-
		rm command
		stop
	done
	for kind in p256 rsa ed25519; do
		start gnutls-serv --echo -p PORT --x509certfile p256.pem --x509keyfile p256.key --x509cafile ca.pem
		expect "client is asked by gnutls-serv, $kind" "^post-handshake: answered with hs-peer" out.txt "${us[@]}" \
			-c $kind.pem -k $kind.key -m '**REAUTH**' -x REAUTH
		stop
	done
}

# NSS takes credentials, and says so; nobody of Debian's presents any but we. One for too long is not even presented.
nss_takes() { # NAME WANTED
	run "$1: the page of it" ^hello out.txt tstclnt_says -B
	[ "$(grep -c "^Received a Delegated Credential" out.txt)" = "$2" ]
	ok $? "$1: $2 credentials"
}

delegated() {
	local days number says
	if ! have tstclnt || ! have certutil; then
		skipped "delegated credentials" "NSS's tools are not installed (libnss3-tools)"
		return
	fi
	mkdir nss && certutil -N -d sql:nss --empty-password && certutil -A -d sql:nss -n ca -t "C,," -i ca.pem
	for days in 3 9; do
		[ $days = 3 ] && number=1 says="signed by a delegated" || number=0 says="^done suite"
		"$here/delegated.py" ca $days
		start "$peer" -s -p PORT -c holder.pem -k holder.key -d delegated.bin -b delegated.key
		nss_takes "server with a delegated credential for $days days, tstclnt" $number
		run "the same where tstclnt does not ask" ^hello out.txt tstclnt_says
		expect "the same with our client" "$says" out.txt \
			"$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -z -m hello -x hello
		stop
		printf '[identity holder]\ncertificate = %s/holder.pem\nkey = %s/holder.key\nallow = everyone\n%s\n%s\n' "$PWD" "$PWD" \
			"delegated = $PWD/delegated.bin" "delegated-key = $PWD/delegated.key" > delegated.conf
		start "$peer" -s -p PORT -X delegated.conf
		nss_takes "the same by ktlsd's configuration, $days days" $number
		stop
	done
}

# Sessions whose first bytes came with the hello. s_server and we take a ticket once.
early_data() {
	local us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -T 1) want
	echo "early bird" > early.txt
	start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -T 2 -y 16000
	run "server says how much early data it takes, s_client" "Max Early Data: 16000" out.txt s_client -sess_out session.pem
	run "server takes early data, s_client" "Early data was accepted" out.txt s_client -sess_in session.pem -early_data early.txt
	expect "server takes early data, s_client: and reads them" "^early data accepted, 11 bytes" server.txt true
	run "server takes early data once, s_client" "Early data was rejected" out.txt s_client -sess_in session.pem -early_data early.txt
	grep -q ^hello out.txt
	ok $? "server takes early data once, s_client: the session is none the worse"
	run "server takes early data, gnutls-cli" "^early bird" out.txt gnutls_cli -r --earlydata=early.txt
	[ "$(grep -c "^early data accepted, 11 bytes" server.txt)" = 2 ]
	ok $? "server takes early data, gnutls-cli: and reads them"
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -T 2 -y 16000 -g 23
	run "server with a retry gives a ticket, s_client" "^hello" out.txt s_client -groups X25519:P-256 -sess_out session.pem
	run "server with a retry skips early data, s_client" "Early data was rejected" out.txt s_client -groups X25519:P-256 \
		-sess_in session.pem -early_data early.txt
	expect "server with a retry skips early data, s_client: nothing was read" "^early data rejected, 0 bytes" server.txt true
	stop
	mkfifo command
	exec 3<> command
	start sh -c "exec openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -early_data -max_early_data 1000 < command"
	(shows ^hello server.txt; echo olleh >&3) &
	expect "client gets a ticket for early data, s_server" "^ticket" out.txt "${us[@]}" -O ticket -x olleh
	for want in accepted rejected; do
		(shows "Early data.*re[cj]e.*ed" server.txt; [ $want = accepted ] || shows "Early data was rejected" server.txt; echo olleh >&3) &
		expect "client sends early data, s_server: $want" "^early data $want, 11 bytes" out.txt "${us[@]}" -I ticket -Y -m "early bird" -x olleh
	done
	[ "$(grep -c "^early bird" server.txt)" = 2 ]
	ok $? "client sends early data, s_server: they arrive, with the hello or behind the handshake"
	exec 3>&-
	rm command
	stop
	start gnutls-serv --echo -p PORT --x509certfile p256.pem --x509keyfile p256.key --disable-client-cert --earlydata --maxearlydata=2000
	expect "client gets a ticket for early data, gnutls-serv" "^ticket" out.txt "${us[@]}" -O ticket
	expect "client sends early data, gnutls-serv" "^early data accepted, 11 bytes" out.txt "${us[@]}" -I ticket -Y -m "early bird" -x bird
	stop
}

# OpenSSL asks and verifies with -ct; a server of its own gives them as -serverinfo.
certificate_timestamps() {
	local v us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)
	"$here/sct.py" p256.key p384.pem list logs.cnf
	start "$peer" -s -p PORT -c p384.pem -k p384.key -n server.test -t list
	for v in 1.3 1.2; do
		run "server gives certificate timestamps, s_client, TLS $v" "SCT validation status: valid" out.txt s_client \
			-tls${v/./_} -ct -ctlogfile logs.cnf
		expect "client verifies certificate timestamps, TLS $v" "^done.*verified 1" out.txt "${us[@]}" -L list.log -V $v
	done
	expect "client refuses a certificate that its log has not seen" "failed at Certificate" out.txt "${us[@]}" -L ca.pem
	stop
	{
		echo "-----BEGIN SERVERINFOV2 FOR sct-----"
		{ printf '\0\0\x11\x80\0\x12'; printf "\\x$(printf %02x $(($(stat -c %s list) / 256)))\\x$(printf %02x $(($(stat -c %s list) % 256)))"; cat list; } | base64
		echo "-----END SERVERINFOV2 FOR sct-----"
	} > info.pem
	start openssl s_server -accept PORT -cert p384.pem -key p384.key -rev -serverinfo info.pem
	for v in 1.3 1.2; do
		expect "client verifies certificate timestamps, s_server, TLS $v" "^done.*verified 1" out.txt "${us[@]}" -L list.log -V $v -x olleh
	done
	stop
	start openssl s_server -accept PORT -cert p384.pem -key p384.key -rev
	expect "client refuses a certificate without timestamps, s_server" "seen by 0 of the logs" out.txt "${us[@]}" -L list.log
	stop
	"$here/sct_embedded.py" p256.key ca.pem ca.key inside
	start openssl s_server -accept PORT -cert inside.pem -key inside.key -rev
	run "timestamps inside the certificate, s_client" "SCT validation status: valid" out.txt s_client -ct -ctlogfile logs.cnf
	for v in 1.3 1.2; do
		expect "client verifies timestamps inside the certificate, TLS $v" "^done.*verified 1" out.txt "${us[@]}" -L list.log -V $v -x olleh
	done
	expect "client refuses them of another log" "seen by 0 of the logs" out.txt "${us[@]}" -L ca.pem
	stop
	start openssl s_server -accept PORT -cert inside-flaw.pem -key inside.key -rev
	expect "client refuses a wrong timestamp inside the certificate" "seen by 0 of the logs" out.txt "${us[@]}" -L list.log
	stop
}

between() { # a proxy that counts, to what start() started before
	behind=$server
	start "$here/lengths.py" PORT "$port" lengths.txt
}

# all NUM WHO: of at least three records, content, type and padding are NUM bytes or a multiple
all() { awk -v n="$1" -v who="$2" '$1 == who { count++; if ($2 % n) bad = 1 } END { exit bad || count < 3 }' lengths.txt; }

padding() {
	local v
	for v in s_client gnutls_cli; do
		have gnutls-cli || [ $v = s_client ] || { skipped "server pads, $v" "not installed"; continue; }
		start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -v 1.3 -T 2 -B 700
		between
		run "server pads, $v takes it" ^hello out.txt $v
		all 700 server && ! all 700 client
		ok $? "server pads, $v: all records"
		stop
		kill "$behind"
	done
	if have gnutls-cli; then
		start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -v 1.3 -T 2 -B 4000
		between
		run "server pads, but no more than gnutls-cli takes" ^hello out.txt gnutls_cli --recordsize 600 --priority NORMAL:-VERS-ALL:+VERS-TLS1.3
		all 601 server
		ok $? "server pads, but no more than gnutls-cli takes: all records"
		stop
		kill "$behind"
	fi
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev
	between
	expect "client pads, s_server takes it" "^done.*verified 1" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem -x olleh -B 300
	all 300 client && ! all 300 server
	ok $? "client pads, s_server: all records"
	stop
	kill "$behind"
}

failures() {
	start "$peer" -s -p PORT -c p256.pem -k p256.key -n server.test -e 51 -g 29
	run "server refuses an unknown name" "alert number 112" out.txt s_client -servername other.test
	run "server refuses foreign ciphers" "alert number 40" out.txt s_client -ciphersuites TLS_AES_256_GCM_SHA384
	run "server refuses foreign groups" "alert number 40" out.txt s_client -groups P-384
	run "server refuses foreign signatures" "alert number 40" out.txt s_client -sigalgs rsa_pss_rsae_sha256
	run "server still serves after all that" ^hello out.txt s_client
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -v 1.3
	run "server of TLS 1.3 only refuses TLS 1.2" "alert number 70" out.txt s_client -tls1_2
	stop
	start "$peer" -s -p PORT -c p256.pem -k p256.key -A ca.pem -R
	run "server requires a certificate" "alert number 116" out.txt s_client
	run "server refuses a certificate of another CA" "alert number 48" out.txt s_client -cert other.pem -key other.key
	stop
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_3 -rev
	expect "client refuses another CA" "failed at Certificate" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A other.pem
	expect "client refuses another CA: the server hears why" "alert number 48" server.txt true
	expect "client refuses another name" "failed at Certificate" out.txt "$peer" -h 127.0.0.1 -p PORT -n other.test -A ca.pem
	stop
	start openssl s_server -accept PORT -cert p256.pem -key p256.key -tls1_2 -rev
	expect "client of TLS 1.3 only refuses a server of TLS 1.2" "failed at ServerHello" out.txt "$peer" -h 127.0.0.1 -p PORT \
		-n server.test -A ca.pem -v 1.3
	stop
}

our_server
our_client
more_groups
browser X25519MLKEM768 4588 0
browser X25519 29 0 -g 29
browser "P-384 after a retry" 24 1 -g 24
kinds_of_key
optional_kinds
features
resumption
records_and_exporters
keys_by_hand
post_handshake
delegated
early_data
certificate_timestamps
padding
failures
done_testing
