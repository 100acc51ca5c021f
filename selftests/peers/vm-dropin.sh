#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-dropin.sh: programs that speak mainline's kTLS, unchanged, on drop_in=1:
# nginx and OpenSSL with their kTLS option, Python through OpenSSL, GnuTLS. Each does its
# own handshake, and the module's counters show whose records came after it.
# In a guest, without the agent; loads the module anew and puts it back. QUICK=1: nginx
# and what isn't a program; make dropin has the rest.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
reload=$top/selftests/vm/reload.sh
trap 'finish; cd /; $reload' EXIT

# What net/tls's own statistics look like is kept for format().
refused() {
	modprobe tls || return
	cut -f 1 /proc/net/tls_stat > mainline
	! $reload drop_in=1 || return
	dmesg | tail -n 5 | grep 'net/tls is loaded. Unload it'
	local rc=$?
	rmmod tls && return $rc
}

if modinfo tls > /dev/null 2>&1; then
	try "refused while net/tls is loaded, with words that help" refused
else
	skip "refused while net/tls is loaded" "this kernel has no module tls"
fi
$reload drop_in=1 || { try "the module loads with drop_in=1" false; done_testing; }
port=44950
size=$((1 << 20))

mkdir www
head -c $size /dev/urandom > www/large
curl=(curl -sS --max-time 60 --cacert "$ca/ca.pem")

# OpenSSL 3.0's programs have no -ktls yet; its configuration has had it longer.
cat > openssl.cnf <<-EOC
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = kernel
[kernel]
Options = KTLS
EOC
printf '[global]\nktls = true\n' > gnutls.conf
openssl=(env "OPENSSL_CONF=$work/openssl.cnf" openssl)
gnutls=(env "GNUTLS_SYSTEM_PRIORITY_FILE=$work/gnutls.conf" GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID=1)

mib_of() { awk -v n="Tls$1" '$1 == n { print $2 }' /proc/net/tls_stat; }
counters() { for c in TxSw RxSw; do mib_of $c; done; for c in TxBytes RxBytes TxRecords RxRecords; do stat_of $c; done; }

# grown TX RX: sockets keyed since `before`, and whose data it was: at least
# the file's bytes in the directions whose number isn't 0.
before() { mapfile -t was < <(counters); }
grown() {
	local now
	mapfile -t now < <(counters)
	echo "before (TlsTxSw TlsRxSw TxBytes RxBytes TxRecords RxRecords): ${was[*]}"
	echo "after: ${now[*]}"
	[ $((now[0] - was[0])) = "$1" ] && [ $((now[1] - was[1])) = "$2" ] || return
	[ "${3:-}" != sent ] || [ $((now[2] - was[2])) -ge $size ] || return
	[ "${3:-}" != received ] || [ $((now[3] - was[3])) -ge $size ]
}
whole() { cmp "$1" www/large; }

# ---- nginx

nginx_config() {
	cat <<-EOC
	daemon off; user root; worker_processes 1; error_log $work/nginx.log; pid $work/nginx.pid;
	events { worker_connections 64; }
	http {
	        access_log off; client_body_temp_path $work/body; proxy_temp_path $work/proxy;
	        fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
	        sendfile on; ssl_protocols TLSv1.2 TLSv1.3; ssl_conf_command Options KTLS;
	        ssl_certificate $ca/rsa.pem; ssl_certificate_key $ca/rsa.key;
	        server { listen $port ssl; root $work/www; }
	}
	EOC
}

# fetch VERSION RX: OpenSSL 3.0 gives the kernel no receive keys of TLS 1.3.
fetch() {
	before
	"${curl[@]}" "--tlsv$1" --tls-max "$1" "https://localhost:$port/large" -o got || return
	whole got && grown 1 "$2" sent
}

with_nginx() {
	local command
	command=$(command -v nginx) || { skip "nginx" "package nginx-light is not installed"; return; }
	nginx_config > nginx.conf
	serve $port "$command" -c "$work/nginx.conf" || { try "nginx starts" false; return; }
	try "nginx, ssl_conf_command Options KTLS, sendfile, TLS 1.3" fetch 1.3 0
	try "nginx, the same, TLS 1.2" fetch 1.2 1
	stop "$server"
}

# ---- OpenSSL

s_server() { # OPTIONS...
	port=$((port + 1))
	serve $port "${openssl[@]}" s_server -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" "$@"
}

sends_file() {
	cd www && s_server "-tls${1/./_}" -WWW -sendfile
	local rc=$?
	cd "$work" || return
	[ $rc = 0 ] && fetch "$@"
	rc=$?
	said $port
	stop "$server"
	[ $rc = 0 ] && grep -q 'KTLS SENDFILE' "$work/server.$port"
}

# A client whose records the kernel opens; its server knows nothing of it.
s_client() {
	port=$((port + 1))
	serve $port openssl s_server -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" "$1" -quiet -HTTP || return
	before
	printf 'GET /www/large HTTP/1.0\r\n\r\n' | timeout 60 "${openssl[@]}" s_client -connect 127.0.0.1:$port \
		-CAfile "$ca/ca.pem" -verify_return_error -quiet -ign_eof > got 2> err
	cat err
	stop "$server"
	grown 1 "$2" "$3" && whole got
}

# ---- Python's ssl is OpenSSL's library: option 8 is SSL_OP_ENABLE_KTLS.
python_echo() {
	before
	timeout 90 /usr/bin/python3 - "$ca" "$size" <<-'EOC' || return
	import hashlib, os, socket, ssl, sys, threading
	ca, size = sys.argv[1], int(sys.argv[2])
	data = os.urandom(size)
	def context(purpose):
	    c = ssl.SSLContext(purpose)
	    c.maximum_version = ssl.TLSVersion.TLSv1_2
	    c.options |= 8
	    return c
	server, client = context(ssl.PROTOCOL_TLS_SERVER), context(ssl.PROTOCOL_TLS_CLIENT)
	server.load_cert_chain(ca + "/ecdsa.pem", ca + "/ecdsa.key")
	client.load_verify_locations(ca + "/ca.pem")
	listener = socket.create_server(("127.0.0.1", 0))
	def echo():
	    with server.wrap_socket(listener.accept()[0], server_side=True) as s:
	        got = b""
	        while len(got) < size:
	            got += s.recv(65536)
	        s.sendall(got)
	t = threading.Thread(target=echo, daemon=True)
	t.start()
	with client.wrap_socket(socket.create_connection(listener.getsockname()), server_hostname="example.org") as s:
	    s.sendall(data)
	    got = b""
	    while len(got) < size:
	        part = s.recv(65536)
	        assert part, len(got)
	        got += part
	t.join()
	assert got == data
	EOC
	grown 2 2 sent
}

# ---- GnuTLS

# Built with kTLS, it needs sendfile(2).
with_gnutls() { nm -D /usr/lib/*/libgnutls.so.30 | grep -qw sendfile; }

gnutls_receives() {
	port=$((port + 1))
	serve $port openssl s_server -accept $port -cert "$ca/rsa.pem" -key "$ca/rsa.key" -quiet -HTTP || return
	before
	printf 'GET /www/large HTTP/1.0\r\n\r\n' | timeout 60 "${gnutls[@]}" gnutls-cli --port $port 127.0.0.1 --sni-hostname example.org \
		--verify-hostname example.org --x509cafile "$ca/ca.pem" --priority "NORMAL:-VERS-ALL:+VERS-TLS$1" --logfile err > got
	cat err
	stop "$server"
	grown 1 1 received && tail -c $size got | cmp - www/large
}

gnutls_sends() {
	port=$((port + 1))
	serve $port "${gnutls[@]}" gnutls-serv --port $port --echo --x509certfile "$ca/rsa.pem" --x509keyfile "$ca/rsa.key" \
		--priority "NORMAL:-VERS-ALL:+VERS-TLS$1" || return
	before
	: > got
	{ echo a line; until_true 30 grep -q 'a line' got; } | timeout 60 openssl s_client -connect 127.0.0.1:$port \
		-CAfile "$ca/ca.pem" -quiet > got 2> err
	cat err got
	stop "$server"
	grep -q 'a line' got && grown 1 1
}

with_programs() {
	try "s_server -WWW -sendfile, TLS 1.3" sends_file 1.3 0
	try "s_server -WWW -sendfile, TLS 1.2" sends_file 1.2 1
	try "s_client with KTLS, TLS 1.3" s_client -tls1_3 0
	try "s_client with KTLS, TLS 1.2" s_client -tls1_2 1 received
	try "Python, both ends with KTLS, TLS 1.2, 1 MiB there and back" python_echo
	if with_gnutls; then
		for v in 1.3 1.2; do
			try "gnutls-cli with ktls = true, TLS $v" gnutls_receives $v
			try "gnutls-serv with ktls = true, TLS $v" gnutls_sends $v
		done
	else
		skip "GnuTLS" "this libgnutls is built without kTLS"
	fi
}

# Mainline's lines: name in 32 columns, tab, number; those of this kernel first, in its order.
format() {
	cat /proc/net/tls_stat
	! grep -vE '^Tls[A-Za-z]+ *	[0-9]+$' /proc/net/tls_stat || return
	awk -F '\t' 'length($1) != 32 { exit 1 }' /proc/net/tls_stat || return
	[ ! -s mainline ] || diff mainline <(cut -f 1 /proc/net/tls_stat | head -n "$(wc -l < mainline)")
}

no_net_tls() {
	modprobe tls 2> /dev/null
	! grep -q '^tls ' /proc/modules
}

with_nginx
[ -n "${QUICK:-}" ] || with_programs
try "/proc/net/tls_stat has mainline's format" format
try "net/tls is not let in beside us" no_net_tls
try "no socket is left" idle
done_testing
