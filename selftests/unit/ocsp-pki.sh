#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ocsp-pki.sh DIR: below the CA of pki.sh in DIR, what OCSP needs; by openssl(1).
# DIR/ocsp/must.pem calls for a staple; the rest are responses by name:
# good and revoked (by the CA), delegated, sha256, undelegated, foreign, unknown.
set -e
cd "$1"
mkdir -p ocsp
cd ocsp
exec 2> log	# openssl(1) talks

cert() { # cert NAME EXTENSIONS
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
	openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
	printf '%s\n' "$2" > "$1.ext"
	openssl x509 -req -in "$1.csr" -CA ../ca.pem -CAkey ../ca.key -set_serial "0x$(openssl rand -hex 8)" \
		-days 365 -sha256 -extfile "$1.ext" -out "$1.pem"
}

leaf='basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:server.test'
cert must "$leaf
tlsfeature=status_request"
cert responder 'basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=OCSPSigning'
cert impostor "$leaf"

# entry V|R CERT: a line of the CA's index
entry() {
	local when=
	[ "$1" = V ] || when=250101000000Z
	printf '%s\t491231235959Z\t%s\t%s\tunknown\t%s\n' "$1" "$when" \
		"$(openssl x509 -in "$2" -noout -serial | cut -d= -f2)" "$(openssl x509 -in "$2" -noout -subject)"
}
{ entry V ../p256.pem; entry V must.pem; } > valid
entry R must.pem > withdrawn
: > empty

# respond NAME CERT INDEX SIGNER [OPTIONS]
respond() {
	local name=$1 cert=$2 index=$3 signer=$4
	shift 4
	openssl ocsp "${@:--sha1}" -issuer ../ca.pem -cert "$cert" -no_nonce -reqout request
	openssl ocsp -index "$index" -CA ../ca.pem -rsigner "$signer.pem" -rkey "$signer.key" \
		-ndays 7 -reqin request -respout "$name.der" > /dev/null
}
respond good must.pem valid ../ca
respond sha256 must.pem valid ../ca -sha256
respond delegated must.pem valid responder
respond undelegated must.pem valid impostor
respond foreign must.pem valid ../other
respond revoked must.pem withdrawn ../ca
respond unknown must.pem empty ../ca
respond p256 ../p256.pem valid ../ca
touch done
