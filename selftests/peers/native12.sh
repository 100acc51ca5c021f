#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# native12.sh HS-PEER: our TLS 1.2, as server and as client, against OpenSSL,
# GnuTLS, curl, Python's ssl and nginx: ciphers, groups, kinds of key, client
# certificates, tickets and session names, another handshake refused, and what
# a peer asks for in vain. TAP; exit 1 if anything failed.
# shellcheck source=selftests/peers/native-lib.sh
. "$(dirname "$0")/native-lib.sh"

declare -A cipher=([51]=AES_128_GCM [52]=AES_256_GCM [54]=CHACHA20_POLY1305)
declare -A ocipher=([51]=AES128-GCM-SHA256 [52]=AES256-GCM-SHA384 [54]=CHACHA20-POLY1305)
declare -A gcipher=([51]=AES-128-GCM [52]=AES-256-GCM [54]=CHACHA20-POLY1305)
declare -A id=([X25519]=29 [P-256]=23 [P-384]=24 [P-521]=25 [X448]=30)
declare -A ggroup=([X25519]=X25519 [P-256]=SECP256R1 [P-384]=SECP384R1 [P-521]=SECP521R1 [X448]=X448)
gnutls12="NORMAL:-VERS-ALL:+VERS-TLS1.2"
us=("$peer" -h 127.0.0.1 -p PORT -n server.test -A ca.pem)

server() { start "$peer" -s -p PORT -c "$1.pem" -k "$1.key" -n server.test "${@:2}"; }
s_server() { start openssl s_server -accept PORT -cert "$1.pem" -key "$1.key" -tls1_2 -rev "${@:2}"; }
gnutls_serv() {
	start gnutls-serv --echo -p PORT --x509certfile "$1.pem" --x509keyfile "$1.key" "${@:2}"
}

# agreed TEXT NAME: the line about the last connection
agreed() { tail -n 1 server.txt | grep -q "$1"; ok $? "$2: what was agreed"; }

ciphers_and_keys() {
	local c kind kx end
	for c in 51 52 54; do for kind in p256 rsa; do
		[ $kind = rsa ] && kx=RSA || kx=ECDSA
		end="${cipher[$c]} $kx"
		server $kind -e "$c"
		run "server, s_client, $end" ^hello out.txt s_client -tls1_2
		agreed "ECDHE_${kx}_WITH_${cipher[$c]}" "server, s_client, $end"
		run "server, gnutls-cli, $end" ^hello out.txt gnutls_cli --priority "$gnutls12"
		agreed "ECDHE_${kx}_WITH_${cipher[$c]}" "server, gnutls-cli, $end"
		run "server, curl, $end" "hello from hs-peer" out.txt fetch --tls-max 1.2
		expect "server, python, $end" "TLSv1.2 ECDHE-$kx" out.txt python3 "$here/echo.py" connect PORT server.test ca.pem 1.2
		stop
		s_server $kind -cipher "ECDHE-$kx-${ocipher[$c]}"
		expect "client, s_server, $end" "ECDHE_${kx}_WITH_${cipher[$c]}.*verified 1" out.txt "${us[@]}" -x olleh
		stop
		gnutls_serv $kind --priority "$gnutls12:-CIPHER-ALL:+${gcipher[$c]}"
		expect "client, gnutls-serv, $end" "ECDHE_${kx}_WITH_${cipher[$c]}.*verified 1" out.txt "${us[@]}"
		stop
		start python3 "$here/echo.py" serve PORT $kind.pem $kind.key "" 1.2
		expect "client, python, $end" "ECDHE_${kx}_WITH_${cipher[$c]}.*verified 1" out.txt "${us[@]}" -e "$c"
		stop
	done; done
}

groups() {
	local o
	for o in X25519 P-256 P-384 P-521 X448; do
		server rsa -g "${id[$o]}"
		run "server, s_client, $o" ^hello out.txt s_client -tls1_2 -groups "$o"
		run "server, gnutls-cli, $o" ^hello out.txt gnutls_cli --priority "$gnutls12:-GROUP-ALL:+GROUP-${ggroup[$o]}"
		stop
		s_server rsa -groups "$o"
		expect "client, s_server, $o" "WITH.*verified 1" out.txt "${us[@]}" -x olleh -g "29,${id[$o]}"
		stop
		gnutls_serv rsa --priority "$gnutls12:-GROUP-ALL:+GROUP-${ggroup[$o]}"
		expect "client, gnutls-serv, $o" "WITH.*verified 1" out.txt "${us[@]}" -g "${id[$o]}"
		stop
	done
	# By configuration only. OpenSSL 3.0's client names no field and takes any.
	server rsa -g 256
	run "server, s_client, ffdhe2048" ^hello out.txt s_client -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256
	agreed "DHE_RSA.*ffdhe2048" "server, s_client, ffdhe2048"
	run "server, gnutls-cli, ffdhe2048" ^hello out.txt gnutls_cli --priority "$gnutls12:-KX-ALL:+DHE-RSA"
	stop
	gnutls_serv rsa --priority "$gnutls12:-KX-ALL:+DHE-RSA:-GROUP-ALL:+GROUP-FFDHE3072"
	expect "client, gnutls-serv, ffdhe3072" "DHE_RSA.*ffdhe3072.*verified 1" out.txt "${us[@]}" -g 257
	stop
}

kinds_of_key() {
	local kind
	for kind in p384 p521 rsapss ed25519; do
		server $kind
		run "server, s_client, $kind" ^hello out.txt s_client -tls1_2
		run "server, gnutls-cli, $kind" ^hello out.txt gnutls_cli --priority "$gnutls12"
		stop
		s_server $kind
		expect "client, s_server, $kind" "WITH.*verified 1" out.txt "${us[@]}" -x olleh
		stop
		gnutls_serv $kind --priority "$gnutls12"
		expect "client, gnutls-serv, $kind" "WITH.*verified 1" out.txt "${us[@]}"
		stop
	done
	for kind in p256 p384 rsa rsapss ed25519; do
		server p256 -A ca.pem -R
		run "server, s_client with a $kind certificate" ^hello out.txt s_client -tls1_2 -cert $kind.pem -key $kind.key
		agreed "peer [12] verified 1" "server, s_client with a $kind certificate"
		run "server, gnutls-cli with a $kind certificate" ^hello out.txt gnutls_cli --priority "$gnutls12" \
			--x509certfile $kind.pem --x509keyfile $kind.key
		agreed "peer [12] verified 1" "server, gnutls-cli with a $kind certificate"
		stop
		s_server rsa -CAfile ca.pem -Verify 1 -verify_return_error
		expect "client with a $kind certificate, s_server" "^done.*WITH" out.txt "${us[@]}" -c $kind.pem -k $kind.key -x olleh
		stop
		gnutls_serv rsa --priority "$gnutls12" --require-client-cert --verify-client-cert --x509cafile ca.pem
		expect "client with a $kind certificate, gnutls-serv" "^done.*WITH" out.txt "${us[@]}" -c $kind.pem -k $kind.key
		stop
	done
	server rsa -g 23
	run "server, s_client, PKCS#1" ^hello out.txt s_client -tls1_2 -sigalgs RSA+SHA256
	agreed "rsa_pkcs1_sha256" "server, s_client, PKCS#1"
	stop
}

# Kinds of key that are off unless named: name, and number of the scheme.
optional_kinds() {
	local kind id
	while read -r kind id; do
		server $kind -j "$id" -A ca.pem -R
		run "server, s_client with its own certificate, $kind" ^hello out.txt s_client -tls1_2 -cert $kind.pem -key $kind.key
		agreed "scheme $kind .*peer [12] verified 1" "server, s_client with its own certificate, $kind"
		run "server, gnutls-cli with its own certificate, $kind" ^hello out.txt gnutls_cli --priority "$gnutls12" \
			--x509certfile $kind.pem --x509keyfile $kind.key
		agreed "scheme $kind .*peer [12] verified 1" "server, gnutls-cli with its own certificate, $kind"
		stop
		server $kind
		run "server that does not name $kind, s_client" "alert number 40" out.txt s_client -tls1_2
		stop
		s_server $kind -CAfile ca.pem -Verify 1 -verify_return_error
		expect "client with its own certificate, s_server, $kind" "scheme $kind .*verified 1" out.txt "${us[@]}" -j "$id" \
			-c $kind.pem -k $kind.key -x olleh
		expect "client that does not name $kind, s_server" "failed at ServerHello" out.txt "${us[@]}" -x olleh
		stop
		gnutls_serv $kind --priority "$gnutls12" --require-client-cert --verify-client-cert --x509cafile ca.pem
		expect "client with its own certificate, gnutls-serv, $kind" "scheme $kind .*verified 1" out.txt "${us[@]}" -j "$id" \
			-c $kind.pem -k $kind.key
		stop
	done <<- END
		ed448 0x0808
	END
}

# Brainpool (RFC 7027) with OpenSSL and mbedTLS: GnuTLS has none. Bits, group, signature schemes.
brainpool() {
	local bits g sig o suite=suite=TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256
	cc -o mbed_peer "$here/interop/mbed_peer.c" -lmbedtls -lmbedx509 -lmbedcrypto > mbed.txt 2>&1
	while read -r bits g sig; do
		o=brainpoolP${bits}r1
		server brainpool$bits -j "$sig,0x0403" -g "$g" -A ca.pem -R
		run "server, s_client with its own certificate, $o" ^hello out.txt s_client -tls1_2 -groups $o -cert brainpool$bits.pem -key brainpool$bits.key
		agreed "ECDHE_ECDSA.* group $o .*peer [12] verified 1" "server, s_client with its own certificate, $o"
		run "server, s_client that does not take $o" "alert number 40" out.txt s_client -tls1_2 -groups P-256
		stop
		s_server brainpool$bits -groups $o -CAfile ca.pem -Verify 1 -verify_return_error
		expect "client with its own certificate, s_server, $o" "ECDHE_ECDSA.* group $o .*verified 1" out.txt "${us[@]}" -j "$sig,0x0403" \
			-g "$g" -c brainpool$bits.pem -k brainpool$bits.key -x olleh
		expect "client that does not name $o, s_server" "failed at ServerHello" out.txt "${us[@]}" -x olleh
		stop
		if [ ! -x mbed_peer ]; then
			skipped "mbedTLS, both roles, $o" "no libmbedtls-dev to build it with"
			continue
		fi
		server brainpool$bits -j "$sig,0x0403" -g "$g"
		expect "server, mbedTLS, $o" ^hello out.txt ./mbed_peer client PORT $suite ca=ca.pem group=$o,secp256r1
		agreed "ECDHE_ECDSA.* group $o " "server, mbedTLS, $o"
		stop
		start ./mbed_peer server PORT $suite cert=brainpool$bits.pem key=brainpool$bits.key group=$o
		expect "client, mbedTLS, $o" "ECDHE_ECDSA.* group $o .*verified 1" out.txt "${us[@]}" -j "$sig,0x0403" -g "$g"
		stop
	done <<- END
		256 26 0x081a
		384 27 0x081b,0x0503
		512 28 0x081c,0x0603
	END
}

sessions() {
	server p256 -T 1
	run "server, s_client gets a ticket" ^hello out.txt s_client -tls1_2 -sess_out session.pem
	run "server, s_client resumes" "^Reused" out.txt s_client -tls1_2 -sess_in session.pem
	agreed "resumed 1" "server, s_client resumes"
	run "server, gnutls-cli resumes" "This is a resumed session" out.txt gnutls_cli -r --priority "$gnutls12"
	run "server, curl twice" "hello from hs-peer" out.txt fetch --tls-max 1.2 --next "https://server.test:$((port + 1))/"
	stop
	server p256 --session-ids 16
	run "server, s_client without tickets gets a session's name" "Session-ID: [0-9A-F]\{64\}" out.txt s_client -tls1_2 -no_ticket -sess_out session.pem
	run "server, s_client resumes by it" "^Reused" out.txt s_client -tls1_2 -no_ticket -sess_in session.pem
	agreed "resumed 1" "server, s_client resumes by it"
	run "server, s_client -reconnect" "^Reused" out.txt reconnect -no_ticket
	agreed "resumed 1" "server, s_client -reconnect"
	run "server, gnutls-cli resumes without tickets" "This is a resumed session" out.txt gnutls_cli -r --priority "$gnutls12:%NO_TICKETS"
	stop
	server p256 -T 1 --session-ids 16
	run "server, s_client -reconnect with tickets" "^Reused" out.txt reconnect
	agreed "resumed 1" "server, s_client -reconnect with tickets"
	run "server, curl twice: resumed" "hello from hs-peer" out.txt fetch --tls-max 1.2 --next "https://server.test:$port/"
	stop
	s_server rsa
	expect "client gets a ticket, s_server" "^ticket of [1-9]" out.txt "${us[@]}" -x olleh -T 1 -O ticket
	expect "client resumes, s_server" "verified 1 .*resumed 1" out.txt "${us[@]}" -x olleh -T 1 -I ticket -O ticket
	expect "client resumes by the ticket it was given on that, s_server" "resumed 1" out.txt "${us[@]}" -x olleh -T 1 -I ticket
	stop
	s_server rsa -no_ticket
	expect "client gets a session's name, s_server" "^ticket of 0" out.txt "${us[@]}" -x olleh -T 1 -O ticket
	expect "client resumes by it, s_server" "verified 1 .*resumed 1" out.txt "${us[@]}" -x olleh -T 1 -I ticket -O ticket
	expect "client resumes by it once more, s_server" "resumed 1" out.txt "${us[@]}" -x olleh -T 1 -I ticket
	stop
	gnutls_serv rsa --priority "$gnutls12"
	expect "client gets a ticket, gnutls-serv" "^ticket of [1-9]" out.txt "${us[@]}" -T 1 -O ticket
	expect "client resumes, gnutls-serv" "verified 1 .*resumed 1" out.txt "${us[@]}" -T 1 -I ticket
	stop
	gnutls_serv rsa --priority "$gnutls12" --noticket
	expect "client gets a session's name, gnutls-serv" "^ticket of 0" out.txt "${us[@]}" -T 1 -O ticket
	expect "client resumes by it, gnutls-serv" "verified 1 .*resumed 1" out.txt "${us[@]}" -T 1 -I ticket
	stop
}

reconnect() { s_client_bare -tls1_2 -reconnect "$@" < /dev/null; }
ask_again() { (echo R; seen hello; sleep 1) | s_client_bare -tls1_2; }
s_client_bare() { openssl s_client -connect "127.0.0.1:$port" -servername server.test -CAfile ca.pem "$@"; }
export_client12() { s_client -tls1_2 -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32; }
binding() { sed -n 's/.*binding \([0-9A-F]\{64\}\).*/\1/p' "$1" | tail -n 1; }
theirs() { sed -n 's/.*Keying material: \([0-9A-F]\{64\}\).*/\1/p' out.txt | tail -n 1; }
export -f reconnect ask_again s_client_bare export_client12
export gnutls12

features() {
	server p256 -a h2,http/1.1
	run "server, s_client, ALPN" "ALPN protocol: h2" out.txt s_client -tls1_2 -alpn http/1.1,h2
	run "server, s_client, ALPN without overlap" "alert number 120" out.txt s_client -tls1_2 -alpn spdy
	run "server, s_client, exporter" "Keying material" out.txt export_client12
	[ -n "$(theirs)" ] && [ "$(theirs)" = "$(binding server.txt)" ]
	ok $? "server, s_client, exporter: the same"
	run "server, s_client wants another handshake" "no renegotiation" out.txt ask_again
	expect "server, s_client wants another handshake: refused" "peer wants another" server.txt true
	run "server, gnutls-cli, records of 1024 bytes" ^hello out.txt gnutls_cli --recordsize 1024 --priority "$gnutls12"
	expect "server, gnutls-cli, records of 1024 bytes: agreed" "limit 1024 " server.txt true
	stop
	s_server rsa -alpn http/1.1
	expect "client, s_server, ALPN" "alpn .http/1.1." out.txt "${us[@]}" -a h2,http/1.1 -x olleh
	expect "client of TLS 1.2 only, s_server" "WITH.*verified 1" out.txt "${us[@]}" -V 1.2 -x olleh
	stop
}

# Each needs to be asked for on our side. FILE of key:cipher number:IANA's name:OpenSSL's:GnuTLS's, - for none.
optional_ciphers() {
	local kind c name o g kx
	while IFS=: read -r kind c name o g; do
		kx=ECDHE-RSA
		[ "$kind" = rsa ] || kx=ECDHE-ECDSA
		server "$kind" -e "$c"
		run "server, s_client, $name" ^hello out.txt s_client -tls1_2 -cipher "$kx-$o"
		agreed "_WITH_$name " "server, s_client, $name"
		if [ "$g" != - ]; then
			run "server, gnutls-cli, $name" ^hello out.txt gnutls_cli --priority "$gnutls12:+SHA256:+SHA384:-CIPHER-ALL:+$g"
			agreed "_WITH_$name " "server, gnutls-cli, $name"
		fi
		stop
		s_server "$kind" -cipher "$kx-$o"
		expect "client, s_server, $name" "_WITH_$name .*verified 1" out.txt "${us[@]}" -x olleh -e "$c"
		stop
		[ "$g" != - ] || continue
		gnutls_serv "$kind" --priority "$gnutls12:+SHA256:+SHA384:-CIPHER-ALL:+$g"
		expect "client, gnutls-serv, $name" "_WITH_$name .*verified 1" out.txt "${us[@]}" -e "$c"
		stop
	done <<- END
		rsa:260:AES_128_CBC_SHA:AES128-SHA:AES-128-CBC:-SHA256:-SHA384
		rsa:261:AES_256_CBC_SHA:AES256-SHA:AES-256-CBC:-SHA256:-SHA384
		p256:262:AES_128_CBC_SHA256:AES128-SHA256:AES-128-CBC:-SHA1
		rsa:264:AES_256_CBC_SHA384:AES256-SHA384:AES-256-CBC:-SHA1
		p256:53:AES_128_CCM:AES128-CCM:AES-128-CCM
		p256:256:AES_256_CCM:AES256-CCM:AES-256-CCM
		p256:257:AES_128_CCM_8:AES128-CCM8:AES-128-CCM-8
	END
	server rsa -e 263 -g 256
	run "server, s_client, DHE_RSA_WITH_AES_256_CBC_SHA256" ^hello out.txt s_client -tls1_2 -cipher DHE-RSA-AES256-SHA256
	agreed "DHE_RSA_WITH_AES_256_CBC_SHA256 group ffdhe2048" "server, s_client, DHE_RSA_WITH_AES_256_CBC_SHA256"
	stop
	server rsa -e 262
	run "server refuses CBC without encrypt_then_mac" "alert fatal error\|Handshake failed" out.txt gnutls_cli \
		--priority "$gnutls12:-CIPHER-ALL:+AES-128-CBC:+SHA256:%NO_ETM"
	expect "server refuses CBC without encrypt_then_mac: why" "offers none of our ciphers.*sent alert 40" server.txt true
	stop
	gnutls_serv rsa --priority "$gnutls12:-CIPHER-ALL:+AES-128-CBC:+SHA256:%NO_ETM"
	expect "client refuses CBC without encrypt_then_mac" "without encrypt_then_mac (sent alert 40" out.txt "${us[@]}" -e 262
	stop
}

hex=00112233445566778899aabbccddeeff
s_client_psk() { s_client -tls1_2 -psk_identity friend -psk $hex "$@"; }
export -f s_client_psk
export hex

keys_by_hand() {
	local way c name o g kx seen text
	while IFS=: read -r way c name o g; do
		kx=${name%%_WITH*} kx=${kx//_/-}
		start "$peer" -s -p PORT -P friend:$hex --psk12 "$way" -e "$c" -g 29,256
		if [ "$o" != - ]; then
			run "server, s_client, $name" ^hello out.txt s_client_psk -cipher "$o"
			agreed "TLS_${name} .*psk friend" "server, s_client, $name"
		fi
		# With a share, gnutls-cli ends itself when it tells what it has agreed on.
		if [ "$g" != - ]; then
			seen=out.txt text=^hello
			[ "$way" = plain ] || seen=server.txt text="TLS_${name} .*psk friend limit 16384"
			run "server, gnutls-cli, $name" "$text" "$seen" gnutls_cli --pskusername friend --pskkey $hex \
				--priority "$gnutls12:-KX-ALL:+$kx:-CIPHER-ALL:+$g"
			agreed "TLS_${name} .*psk friend" "server, gnutls-cli, $name"
		fi
		stop
		# OpenSSL's server has no field of RFC 7919 for it.
		if [ "$o" != - ] && [ "$way" != dhe ]; then
			start openssl s_server -accept PORT -nocert -psk_identity friend -psk $hex -tls1_2 -rev -cipher "$o"
			expect "client, s_server, $name" "TLS_${name} .*psk friend" out.txt "${us[@]}" -P friend:$hex --psk12 "$way" -e "$c" -g 29 -x olleh
			stop
		fi
		[ "$g" != - ] || continue
		echo "friend:$hex" > psk.txt
		start gnutls-serv --echo -p PORT --pskpasswd psk.txt --priority "$gnutls12:-KX-ALL:+$kx:-CIPHER-ALL:+$g"
		expect "client, gnutls-serv, $name" "TLS_${name} .*psk friend" out.txt "${us[@]}" -P friend:$hex --psk12 "$way" -e "$c" -g 29,256
		stop
	done <<- END
		ecdhe:54:ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256:ECDHE-PSK-CHACHA20-POLY1305:CHACHA20-POLY1305
		dhe:51:DHE_PSK_WITH_AES_128_GCM_SHA256:DHE-PSK-AES128-GCM-SHA256:AES-128-GCM
		dhe:52:DHE_PSK_WITH_AES_256_GCM_SHA384:DHE-PSK-AES256-GCM-SHA384:AES-256-GCM
		dhe:54:DHE_PSK_WITH_CHACHA20_POLY1305_SHA256:DHE-PSK-CHACHA20-POLY1305:CHACHA20-POLY1305
		dhe:53:DHE_PSK_WITH_AES_128_CCM:DHE-PSK-AES128-CCM:AES-128-CCM
		dhe:256:DHE_PSK_WITH_AES_256_CCM:DHE-PSK-AES256-CCM:AES-256-CCM
		plain:51:PSK_WITH_AES_128_GCM_SHA256:PSK-AES128-GCM-SHA256:AES-128-GCM
		plain:52:PSK_WITH_AES_256_GCM_SHA384:PSK-AES256-GCM-SHA384:AES-256-GCM
		plain:54:PSK_WITH_CHACHA20_POLY1305_SHA256:PSK-CHACHA20-POLY1305:CHACHA20-POLY1305
		plain:53:PSK_WITH_AES_128_CCM:PSK-AES128-CCM:AES-128-CCM
		plain:256:PSK_WITH_AES_256_CCM:PSK-AES256-CCM:AES-256-CCM
		plain:257:PSK_WITH_AES_128_CCM_8:PSK-AES128-CCM8:AES-128-CCM-8
	END
	start "$peer" -s -p PORT -P friend:$hex --psk12 plain
	run "server refuses a name that it has no key for" "alert number 115" out.txt s_client -tls1_2 -psk_identity foe -psk $hex -cipher PSK
	run "server refuses another key" "alert number 20" out.txt s_client -tls1_2 -psk_identity friend -psk 0011 -cipher PSK
	stop
}

# What a stranger asks for in vain: name, s_client's options, alert.
refused() {
	local what alert options
	server rsa -n server.test
	while IFS=: read -r what alert options; do
		# shellcheck disable=SC2086
		run "server refuses $what" "alert number $alert" out.txt s_client $options
	done <<- END
		TLS 1.1:70:-tls1_1 -cipher DEFAULT@SECLEVEL=0
		TLS 1.0:70:-tls1 -cipher DEFAULT@SECLEVEL=0
		RSA key exchange:40:-tls1_2 -cipher kRSA
		CBC:40:-tls1_2 -cipher ECDHE-RSA-AES128-SHA256
		CBC with SHA-1:40:-tls1_2 -cipher ECDHE-RSA-AES128-SHA
		finite fields that are not configured:40:-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256
		anonymous key exchange:40:-tls1_2 -cipher aNULL@SECLEVEL=0
		NULL:40:-tls1_2 -cipher NULL@SECLEVEL=0
		PSK:40:-tls1_2 -cipher PSK -psk 00112233
		SHA-1 signatures:40:-tls1_2 -sigalgs RSA+SHA1 -cipher DEFAULT@SECLEVEL=0
		a key that we don't have:40:-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
		a fallback from TLS 1.3:86:-tls1_2 -fallback_scsv
	END
	run "server refuses a master secret of old" "Handshake failed" out.txt gnutls_cli --priority "$gnutls12:%NO_SESSION_HASH"
	expect "server refuses a master secret of old: why" "no extended_master_secret (sent alert 40)" server.txt true
	run "server still serves after all that" ^hello out.txt s_client -tls1_2
	stop
	server p256 -A ca.pem -R
	run "server requires a certificate" "alert number 40" out.txt s_client -tls1_2
	run "server refuses a certificate of another CA" "alert number 48" out.txt s_client -tls1_2 -cert other.pem -key other.key
	stop
	s_server p256
	expect "client refuses another CA" "failed at Certificate" out.txt "$peer" -h 127.0.0.1 -p PORT -n server.test -A other.pem
	expect "client refuses another CA: the server hears why" "alert number 48" server.txt true
	expect "client of TLS 1.3 only refuses TLS 1.2" "failed at ServerHello" out.txt "${us[@]}" -v 1.3
	stop
	for what in kRSA ECDHE-RSA-AES128-SHA256 DHE-RSA-AES128-GCM-SHA256; do
		s_server rsa -cipher "$what"
		expect "client offers no $what" "received alert 40" out.txt "${us[@]}" -x olleh
		stop
	done
	gnutls_serv rsa --priority "$gnutls12:%NO_SESSION_HASH"
	expect "client refuses a master secret of old" "extended_master_secret.*sent alert 40" out.txt "${us[@]}"
	stop
}

a_web_server() {
	if ! have nginx; then
		skipped "client, nginx" "not installed"
		return
	fi
	local upstream=$((port + 3000)) front=$((port + 2000))
	cat > nginx.conf <<- END
		daemon off; pid nginx.pid; error_log stderr; events { worker_connections 32; }
		http { access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
		scgi_temp_path tmp;
		server { listen 127.0.0.1:$((port + 1)) ssl; ssl_protocols TLSv1.2; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
		location / { return 200 "hello from nginx\n"; } }
		server { listen 127.0.0.1:$front; location / { proxy_pass https://127.0.0.1:$upstream;
		proxy_ssl_protocols TLSv1.2; proxy_ssl_verify on; proxy_ssl_trusted_certificate $PWD/ca.pem; proxy_ssl_name server.test;
		proxy_ssl_server_name on; } } }
	END
	start nginx -p "$PWD" -c nginx.conf -e stderr
	expect "client, nginx" "WITH.*verified 1" out.txt "${us[@]}" -m $'GET / HTTP/1.0\r\n\r' -x "hello from nginx" -T 1 -O ticket
	expect "client resumes, nginx" "resumed 1" out.txt "${us[@]}" -m $'GET / HTTP/1.0\r\n\r' -x "hello from nginx" -T 1 -I ticket
	"$peer" -s -p $upstream -c p256.pem -k p256.key -n server.test -T 1 > upstream.txt 2>&1 &
	pids+=($!)
	for _ in {1..100}; do grep -qi ":$(printf %04X $upstream) 0*:0000 0A" /proc/net/tcp && break; sleep 0.05; done
	expect "server, nginx as its client" "hello from hs-peer" out.txt curl -sS "http://127.0.0.1:$front/"
	expect "server, nginx as its client, again" "hello from hs-peer" out.txt curl -sS "http://127.0.0.1:$front/"
	expect "server, nginx as its client: resumed" "WITH.*resumed 1" upstream.txt true
	stop
}

ciphers_and_keys
groups
kinds_of_key
optional_kinds
brainpool
sessions
features
optional_ciphers
keys_by_hand
refused
a_web_server
done_testing
