#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sct_embedded.py LOG.key CA.pem CA.key NAME: certificates for server.test with a log's
word inside (RFC 6962 3.3): NAME.pem, and NAME-flaw.pem where one bit of the signature is
wrong, both with NAME.key. What the log signs is the same certificate without its word."""
import datetime
import hashlib
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


def read(path):
    with open(path, "rb") as f:
        return f.read()


def spki(key):
    return key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def vec(size, data):
    return len(data).to_bytes(size, "big") + data


def main():
    log_path, ca_path, ca_key_path, name = sys.argv[1:]
    log = serialization.load_pem_private_key(read(log_path), None)
    ca = x509.load_pem_x509_certificate(read(ca_path))
    ca_key = serialization.load_pem_private_key(read(ca_key_path), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow().replace(microsecond=0)
    serial = x509.random_serial_number()

    def make(word):
        builder = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server.test")]))
                   .issuer_name(ca.subject).public_key(key.public_key()).serial_number(serial)
                   .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName("server.test")]), False))
        if word:
            builder = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, word), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), False).sign(
            ca_key, hashes.SHA256())

    when = struct.pack(">Q", int((now.timestamp() - 3600)) * 1000)
    issuer = hashlib.sha256(spki(ca.public_key())).digest()
    entry = b"\0\0" + when + b"\0\1" + issuer + vec(3, make(None).tbs_certificate_bytes) + b"\0\0"
    sig = log.sign(entry, ec.ECDSA(hashes.SHA256()))
    for suffix, flaw in ("", 0), ("-flaw", 1):
        one = b"\0" + hashlib.sha256(spki(log.public_key())).digest() + when + b"\0\0" + b"\4\3" + vec(2, sig[:-1] + bytes([sig[-1] ^ flaw]))
        listed = vec(2, vec(2, one))
        with open(name + suffix + ".pem", "wb") as f:
            f.write(make(bytes([4, 0x81, len(listed)] if len(listed) > 127 else [4, len(listed)]) + listed).public_bytes(PEM))
    with open(name + ".key", "wb") as f:
        f.write(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


main()
