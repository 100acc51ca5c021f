#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sct.py LOG.key CERT.pem LIST LOG.cnf: a log on P-256 that has just seen CERT
writes its SignedCertificateTimestampList, and itself as OpenSSL's list of logs."""
import base64
import hashlib
import struct
import subprocess
import sys
import time


def openssl(*args, data=b""):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def vec(fmt, data):
    return struct.pack(fmt, len(data))[-{">B": 1, ">H": 2, ">I": 3}[fmt]:] + data


def main():
    key, cert, out, conf = sys.argv[1:]
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    der = openssl("x509", "-in", cert, "-outform", "DER")
    when = struct.pack(">Q", int(time.time() - 60) * 1000)
    entry = b"\0\0" + when + b"\0\0" + vec(">I", der) + b"\0\0"
    sig = openssl("dgst", "-sha256", "-sign", key, data=entry)
    sct = b"\0" + hashlib.sha256(spki).digest() + when + b"\0\0" + b"\4\3" + vec(">H", sig)
    with open(out, "wb") as f:
        f.write(vec(">H", vec(">H", sct)))
    with open(out + ".log", "wb") as f:
        f.write(spki)
    with open(conf, "w") as f:
        f.write("enabled_logs = test\n[test]\ndescription = test\nkey = " + base64.b64encode(spki).decode() + "\n")


main()
