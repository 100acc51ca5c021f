#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test-ca.sh DIR: throw-away certificates for demo and tests, and a ktlsd.conf
# that uses them. What is there and has a week to live is kept.
#
#	ca, other		two authorities
#	rsa, ecdsa		example.org, www.example.org, localhost, 127.0.0.1
#	expired, wrong		the same but expired; for wrong.example.org only
#	stranger		the right names, issued by "other"
# NAME.pem is the chain to present, NAME.key its key.
set -euo pipefail
dir=$1
mkdir -p "$dir"
cd "$dir"
dir=$PWD
self=${BASH_SOURCE[0]}
[[ $self = /* ]] || self=$OLDPWD/$self

if [ -e ready ] && [ ready -nt "$self" ] && openssl x509 -in rsa.pem -noout -checkend 604800 > /dev/null; then
	exit 0
fi
exec 9> lock
flock 9
rm -f ready

new_key() { # NAME ALGORITHM
	case $2 in
	rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
	p256) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
	esac
} 2> /dev/null

authority() { # NAME
	new_key "$1" p256
	openssl req -x509 -key "$1.key" -subj "/CN=ktls test authority $1" -days 365 -sha256 \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
}

good_names=DNS:example.org,DNS:www.example.org,DNS:localhost,IP:127.0.0.1,IP:::1

# openssl ca can say from when to when; openssl x509 of this version cannot.
issue() { # NAME ALGORITHM ISSUER NAMES FROM TO
	new_key "$1" "$2"
	printf '%s\n' "[ca]" default_ca=test "[test]" database=index serial=serial new_certs_dir=. \
		default_md=sha256 policy=any unique_subject=no x509_extensions=ext "[any]" \
		commonName=supplied "[ext]" basicConstraints=critical,CA:FALSE \
		keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth,clientAuth \
		subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "subjectAltName=$4" > ca.conf
	: > index
	openssl rand -hex 8 > serial
	openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
	openssl ca -batch -notext -config ca.conf -cert "$3.pem" -keyfile "$3.key" \
		-startdate "$5" -enddate "$6" -in "$1.csr" -out "$1.pem" 2> log || { cat log >&2; return 1; }
	rm -f "$1.csr" index* serial* ca.conf log [0-9A-F]*.pem
}

when() { date -u -d "$1" +%Y%m%d%H%M%SZ; }

authority ca
authority other
now=$(when '1 hour ago') year=$(when '300 days')
issue rsa rsa ca "$good_names" "$now" "$year"
issue ecdsa p256 ca "$good_names" "$now" "$year"
issue stranger p256 other "$good_names" "$now" "$year"
issue wrong p256 ca DNS:wrong.example.org "$now" "$year"
issue expired p256 ca "$good_names" "$(when '30 days ago')" "$(when yesterday)"
chmod 644 ./*.pem
chmod 600 ./*.key

# The first identity that fits a name is taken, so the good ones stand first.
{
	printf '[agent]\ncontrol = /run/ktlsd/control\nworkers = 2\n'
	for name in rsa ecdsa wrong expired stranger; do
		printf '\n[identity %s]\ncertificate = %s\nkey = %s\n' "$name" "$dir/$name.pem" "$dir/$name.key"
		printf 'allow = uid:0\n'
		case $name in
		rsa) echo 'default = yes' ;;
		ecdsa) echo 'allow = uid:1000' ;;
		esac
	done
	# "system" is what a program gets that names no store.
	printf '\n[trust %s]\nfile = %s\n' test "$dir/ca.pem" other "$dir/other.pem" system "$dir/ca.pem"
	printf '\n[client]\nallow = uid:0 uid:1000\n'
} > ktlsd.conf
touch ready
