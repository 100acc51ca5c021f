#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A delegated credential (RFC 9345) by OpenSSL's hand, in the current folder.

delegated.py CA DAYS	CA.pem and CA.key issue holder.pem (key holder.key), which may delegate, and
	that signs delegated.bin for delegated.key, ECDSA both, good for DAYS from now
"""
import subprocess
import sys
import time
from datetime import datetime, timezone

ECDSA_P256 = bytes.fromhex("0403")


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def vector(data, size):
    return len(data).to_bytes(size, "big") + data


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


ca, days = sys.argv[1], float(sys.argv[2])
key("holder.key")
key("delegated.key")
write("holder.ext", b"basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
      b"subjectAltName=DNS:server.test\n1.3.6.1.4.1.44363.44=DER:0500\n")
openssl("req", "-new", "-key", "holder.key", "-subj", "/CN=server.test", "-out", "holder.csr")
openssl("x509", "-req", "-in", "holder.csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-set_serial", "77",
        "-days", "30", "-sha256", "-extfile", "holder.ext", "-out", "holder.pem")
start = openssl("x509", "-in", "holder.pem", "-noout", "-startdate").decode().strip().split("=")[1]
start = datetime.strptime(start, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=timezone.utc).timestamp()
valid = int(time.time() + days * 86400 - start)
public = openssl("pkey", "-in", "delegated.key", "-pubout", "-outform", "DER")
credential = valid.to_bytes(4, "big") + ECDSA_P256 + vector(public, 3) + ECDSA_P256
certificate = openssl("x509", "-in", "holder.pem", "-outform", "DER")
write("holder.tbs", b" " * 64 + b"TLS, server delegated credentials\0" + certificate + credential)
write("delegated.bin", credential + vector(openssl("dgst", "-sha256", "-sign", "holder.key", "holder.tbs"), 2))
