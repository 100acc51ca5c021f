#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pki.sh DIR: a throw-away CA and one end entity per kind of key, for tests.
# DIR/<kind>.pem is the chain, DIR/<kind>.key the key. Names: server.test and 127.0.0.1.
set -e
dir=$1
mkdir -p "$dir"
cd "$dir"

req() { # req NAME SUBJECT OPENSSL-KEY-OPTIONS...
	local name=$1 subject=$2
	shift 2
	openssl genpkey "$@" -out "$name.key" 2>/dev/null
	openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr" 2>/dev/null
}

sign() { # sign NAME DAYS EXTENSIONS
	printf '%s\n' "$3" > "$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" \
		-days "$2" -sha256 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
	rm -f "$1.csr" "$1.ext"
}

req ca "/CN=ktls test CA" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
openssl req -x509 -key ca.key -subj "/CN=ktls test CA" -days 3650 -sha256 \
	-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
	-out ca.pem 2>/dev/null
req other "/CN=another CA" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
openssl req -x509 -key other.key -subj "/CN=another CA" -days 3650 -sha256 \
	-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,digitalSignature" \
	-out other.pem 2>/dev/null

both='basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:server.test,IP:127.0.0.1'
req p256 "/CN=server.test" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
req p384 "/CN=server.test" -algorithm EC -pkeyopt ec_paramgen_curve:P-384
req p521 "/CN=server.test" -algorithm EC -pkeyopt ec_paramgen_curve:P-521
req rsa "/CN=server.test" -algorithm RSA -pkeyopt rsa_keygen_bits:2048
req rsapss "/CN=server.test" -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
req ed25519 "/CN=server.test" -algorithm ED25519
req ed448 "/CN=server.test" -algorithm ED448
req odd "/CN=server.test" -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1	# a kind that we don't know
for bits in 256 384 512; do
	req brainpool$bits "/CN=server.test" -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP${bits}r1
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP${bits}r1 -out brainpool$bits-other.key 2>/dev/null
done
for kind in p256 p384 p521 rsapss ed25519 ed448 brainpool256 brainpool384 brainpool512 odd; do
	sign "$kind" 365 "$both"
done
# Another key of the kinds that are off unless named.
openssl genpkey -algorithm ED448 -out ed448-other.key 2>/dev/null
# NSS would have a certificate for RSA encrypt, too.
sign rsa 365 "${both/digitalSignature/digitalSignature,keyEncipherment}"
rm -f ca.csr other.csr
touch done
