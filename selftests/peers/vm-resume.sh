#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-resume.sh: sessions of ktls resumed, in both roles, against programs that
# we did not write; over workers, worker's deaths and a change of the ticket
# key. In a guest with module and agent.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
log_of_agent=/run/vm/ktlsd.log
mkdir www
head -c 100000 /dev/urandom > www/small
cp www/small www/index.html
get() { printf 'GET /small HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n'; }
resumed() { grep -c "role=$1.*resumed=yes" $log_of_agent; }	# ROLE
arrived() { # what a client got ends with the file
	[ "$(tail -c 100000 "$1" | sha256sum)" = "$(sha256sum < www/small)" ] || { head -c 300 "$1"; return 1; }
}
arrives() { until_true 30 enough "$1"; arrived "$1"; }
enough() { [ "$(stat -c %s "$1" 2> /dev/null || echo 0)" -ge 100000 ]; }

s_client() { # PORT OPTION...
	get | timeout 60 openssl s_client -quiet -ign_eof -connect "127.0.0.1:$1" -servername example.org \
		-CAfile "$ca/ca.pem" -verify_return_error "${@:2}" > got 2> err
	arrived got || { cat err; return 1; }
}

first_and_again() { # PORT
	local before
	rm -f session
	s_client "$1" -sess_out session && [ -s session ] || { echo "no session was given"; return 1; }
	before=$(resumed server)
	s_client "$1" -sess_in session || return
	until_true 5 more_than "$before" server
}
more_than() { [ "$(resumed "$2")" -gt "$1" ] || { echo "resumed: $(resumed "$2")"; return 1; }; }

gnutls_resumes() { # PORT
	{ get; sleep 3; } | timeout 60 gnutls-cli -r -p "$1" --x509cafile "$ca/ca.pem" --sni-hostname example.org \
		--verify-hostname example.org 127.0.0.1 > got 2> err
	grep -q "This is a resumed session" got
}

five_more() { until_true 60 more_than $(($1 + 4)) server; }	# BEFORE

curl_six() { # PORT OPTION...: six connections of one process, five resumed
	local before one=(-sS -H "Connection: close" --cacert "$ca/ca.pem" --resolve "example.org:$1:127.0.0.1"
		"${@:2}" "https://example.org:$1/small") all=() _
	before=$(resumed server)
	for _ in 1 2 3 4 5 6; do all+=(--next "${one[@]}"); done
	curl "${all[@]:1}" > got || return
	cmp got <(cat www/small www/small www/small www/small www/small www/small) && five_more "$before"
}

# -reconnect closes before a ticket of TLS 1.3 is read: only by 1.2 does s_client resume with it.
reconnects() { # PORT
	local before
	before=$(resumed server)
	timeout 60 openssl s_client -connect "127.0.0.1:$1" -servername example.org -CAfile "$ca/ca.pem" -verify_return_error \
		-tls1_2 -reconnect < /dev/null > got 2> err
	[ "$(grep -ac '^Reused' got)" = 5 ] || { cat err; grep -aE '^(New|Reused)' got; return 1; }
	five_more "$before"
}

short_records() { # PORT SIZE: the client takes no longer ones
	local before
	before=$(stat_of TxRecords)
	{ get; sleep 4; } | timeout 60 gnutls-cli --recordsize "$2" -p "$1" --x509cafile "$ca/ca.pem" \
		--sni-hostname example.org --verify-hostname example.org --logfile=err 127.0.0.1 > got
	arrived got || { cat err; return 1; }
	[ $(($(stat_of TxRecords) - before)) -ge $((100000 / $2)) ] || { echo "too few records"; return 1; }
}

binding() { # PORT: both ends derive the same
	get | timeout 60 openssl s_client -ign_eof -connect "127.0.0.1:$1" -servername example.org -CAfile "$ca/ca.pem" \
		-keymatexport EXPORTER-Channel-Binding -keymatexportlen 32 > got 2> err
	ours=$(sed -n 's/^tls-exporter: //p' "$work/server.$1" | tail -n 1)
	theirs=$(sed -n 's/.*Keying material: //p' got | tail -n 1)
	echo "ours $ours, theirs $theirs"
	[ ${#ours} = 64 ] && [ "$ours" = "$theirs" ]
}

after_death() { # PORT: the keys are the keeper's
	local pid before
	rm -f session
	s_client "$1" -sess_out session || return
	before=$(resumed server)
	for pid in $(pgrep -f 'ktlsd --worker'); do kill -9 "$pid"; done
	sleep 1
	until_true 10 s_client "$1" -sess_in session || return
	more_than "$before" server
}

other_user() { # a ticket for one user's server is nothing to another's
	local before
	rm -f session
	s_client "$1" -sess_out session || return
	before=$(resumed server)
	s_client "$2" -sess_in session || return
	[ "$(resumed server)" = "$before" ]
}

cat_once() { # PORT: ktls-cat reads it all, tickets included
	rm -f got
	get | timeout 60 "$bin/ktls-cat" -N -T test -n example.org 127.0.0.1 "$1" > got 2> err
	arrived got || { cat err; return 1; }
}

client_twice() { # PORT
	local before
	before=$(resumed client)
	cat_once "$1" || return
	sleep 0.5
	cat_once "$1" || return
	until_true 5 more_than "$before" client
}

nginx_server() { # PORT
	mkdir -p nginx
	cat > nginx/conf <<-CONF
	daemon off; master_process off; pid $work/nginx/pid; error_log stderr; user root;
	events { }
	http {
	    access_log off;
	    client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
	    uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
	    server { listen $1 ssl; root $work/www; ssl_protocols TLSv1.3; ssl_session_tickets on;
	        ssl_certificate $ca/rsa.pem; ssl_certificate_key $ca/rsa.key; }
	}
	CONF
	chmod 755 "$work"
	serve "$1" nginx -c "$work/nginx/conf"
}

as_server() {
	serve 44801 "$bin/ktls-serve" --root www --port 44801 --identity rsa || { try "ktls-serve starts" false; return; }
	try "server, s_client -sess_out, -sess_in" first_and_again 44801
	try "server, gnutls-cli --resume" gnutls_resumes 44801
	try "server, curl, five of six" curl_six 44801
	try "server, curl by TLS 1.2, five of six" curl_six 44801 --tls-max 1.2
	try "server, s_client -reconnect, five of six" reconnects 44801
	for n in 512 1000 4096; do
		try "server, gnutls-cli takes records of $n bytes" short_records 44801 $n
	done
	try "server, resumed after all workers died" after_death 44801
	serve 44802 "$bin/ktls-serve" --root www --port 44802 --identity ecdsa || { try "ktls-serve starts" false; return; }
	try "server, a ticket of another identity is not taken" other_user 44801 44802
	stop "$server"
}

channel_binding() {
	serve 44803 "$bin/ktls-cat" -v -l -i rsa 44803 || { try "ktls-cat starts" false; return; }
	try "server, tls-exporter as openssl computes it" binding 44803
	stop "$server"
}

restart_agent() { # CONFIG
	"$agent" stop && "$agent" start "$1"
}

psk_server() { # PORT KEY-OF-THE-CLIENT
	get | timeout 60 openssl s_client -ign_eof -connect "127.0.0.1:$1" -tls1_3 -psk "$2" -psk_identity sensor > got 2>&1
	grep -q "^Reused" got && until_true 10 grep -q "^pre-shared key: sensor" "$work/server.$1"
}

psk_refused() { # PORT
	! psk_server "$1" "01$key" && grep -q "alert number 51" got || { cat got; return 1; }
}

psk_client() { # PORT PSK
	rm -f got
	get | timeout 60 "$bin/ktls-cat" -N -v -P "$2" 127.0.0.1 "$1" > got 2> err
	grep -q "^pre-shared key: $2" err && arrived got || { cat err; said "$1"; return 1; }
}

keys_by_hand() {
	key=00112233445566778899aabbccddeeff
	echo $key > psk.key
	{ cat "$ca/ktlsd.conf"; printf '[psk %s]\nkey = %s\nallow = uid:0\n' sensor "$work/psk.key"
	  printf '[psk %s]\nkey = %s\nallow = uid:1000\n' foreign "$work/psk.key"; } > psk.conf
	chmod 755 "$work"
	try "the agent takes a configuration with keys" restart_agent "$work/psk.conf"
	serve 44821 "$bin/ktls-cat" -v -l -P '*' 44821
	try "server, s_client, a key by hand" psk_server 44821 $key
	stop "$server"
	serve 44822 "$bin/ktls-cat" -v -l -P sensor 44822
	try "server, s_client, the wrong key" psk_refused 44822
	stop "$server"
	cd www || return
	serve 44823 openssl s_server -accept 44823 -nocert -tls1_3 -WWW -psk $key -psk_identity sensor
	cd ..
	try "client, s_server, a key by hand" psk_client 44823 sensor
	try "client, another user's key is refused" no psk_client 44823 foreign
	stop "$server"
	try "the agent takes the old configuration" restart_agent "$ca/ktlsd.conf"
}
no() { ! "$@"; }

as_client() {
	cd www || return
	serve 44811 openssl s_server -accept 44811 -cert "$ca/rsa.pem" -key "$ca/rsa.key" -tls1_3 -WWW
	cd ..
	try "client, s_server, twice" client_twice 44811
	stop "$server"
	nginx_server 44812
	try "client, nginx, twice" client_twice 44812
	stop "$server"
	serve 44801 "$bin/ktls-serve" --root www --port 44801 --identity rsa
	try "client, our own server, twice" client_twice 44801
	stop "$server"
	try "all sessions are gone" idle
}

for part in ${*:-as_server channel_binding as_client keys_by_hand}; do $part; done
done_testing
