# SPDX-License-Identifier: GPL-2.0-or-later
"""What is refused of TLS 1.2 and before: each suite, version and habit that
docs/COVERAGE.md has as "refuse", asked for by a ClientHello of our making.
"""
from cases13 import *

GOOD = (0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8)

REFUSED = (
    ("NULL", 0x0000, 0x0001, 0x0002, 0x003b, 0xc006, 0xc010),
    ("anonymous", 0x0034, 0x006c, 0x00a6, 0xc018),
    ("export", 0x0003, 0x0006, 0x0008, 0x000b, 0x0014, 0x0017),
    ("RC4", 0x0004, 0x0005, 0xc007, 0xc011),
    ("DES and 3DES", 0x0009, 0x000a, 0x0016, 0xc008, 0xc012),
    ("IDEA and SEED", 0x0007, 0x0096, 0x009a),
    ("static RSA", 0x002f, 0x0035, 0x003c, 0x009c, 0x009d),
    ("static DH and ECDH", 0x0030, 0x0031, 0x00a0, 0xc004, 0xc00e, 0xc02d, 0xc031),
    ("CBC without encrypt-then-MAC", 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027),
    ("SRP", 0xc01d, 0xc01e, 0xc020, 0xc021),
    ("Kerberos", 0x001e, 0x001f, 0x0023),
    ("DHE that nobody configured", 0x0033, 0x0067, 0x009e, 0xccaa),
    ("PSK that nobody configured", 0x008c, 0x00a8, 0xccab, 0xd001),
    ("TLS 1.3 only, in TLS 1.2", 0x1301, 0x1302),
)


def hello12(suites=GOOD):
    h = Hello(suites=suites).drop(43).drop(51)
    return h.add(ext(23), ext(11, b"\1\0"), ext(0xff01, b"\0"))


def answer(c, hello):
    """The ServerHello's version, suite, compression and extensions."""
    c.greet(hello)
    kind, body = c.receive()
    assert kind == SERVER_HELLO
    n = body[34]
    found, at = {}, 40 + n
    while at < len(body):
        size = int.from_bytes(body[at + 2:at + 4], "big")
        found[int.from_bytes(body[at:at + 2], "big")] = body[at + 4:at + 4 + size]
        at += 4 + size
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[35 + n:37 + n], "big"), body[37 + n], found, body[2:34]


def old(name, *outcome):
    def put(function):
        def run(c):
            h = hello12()
            c.answer = answer(c, function(h) or h)
            return b"hello from"
        CASES.append(("TLS 1.2: " + name, outcome, run))
        return function
    return put


@case("TLS 1.2: a hello", OK)
def _(c):
    version, suite, compression, found, _ = answer(c, hello12())
    assert version == 0x0303 and suite in GOOD and not compression
    assert {23, 0xff01} <= set(found) <= {0, 11, 23, 35, 0xff01}, f"ServerHello has {sorted(found)}"
    return b"hello from"


@case("TLS 1.2: the downgrade sentinel", OK)
def _(c):
    assert answer(c, hello12())[4][-8:] == b"DOWNGRD\1"
    return b"hello from"


for row in REFUSED:
    @old(f"{row[0]}", FAILURE)
    def _(h, row=row):
        h.suites = u16(*row[1:])

for version, name in ((0x0302, "TLS 1.1"), (0x0301, "TLS 1.0"), (0x0300, "SSL 3"), (0x0002, "SSL 2 in a record of SSL 3")):
    @old(name, VERSION)
    def _(h, version=version):
        h.version = version


@case("SSL 2's own hello", VERSION, UNEXPECTED, DECODE, OVERFLOW)
def _(c):
    body = u8(1, 0, 2) + u16(3, 0, 16) + u8(1, 0, 128) + bytes(range(16))
    c.raw(u16(0x8000 | len(body)) + body)
    c.read()


@old("compression beside null is not chosen", OK)
def _(h):
    h.compression = b"\1\0"


@old("only compression", ILLEGAL, DECODE)
def _(h):
    h.compression = b"\1"


@old("no extended_master_secret", FAILURE)
def _(h):
    h.drop(23)


@old("renegotiation_info of another handshake", FAILURE)
def _(h):
    h.set(ext(0xff01, vec(1, bytes(12))))


@old("the signalling suite instead of renegotiation_info", OK)
def _(h):
    h.drop(0xff01)
    h.suites += u16(0x00ff)


@old("TLS_FALLBACK_SCSV", 86)
def _(h):
    h.suites += u16(0x5600)


@old("no signature_algorithms", FAILURE, MISSING)
def _(h):
    h.drop(13)


@old("MD5 and SHA-1 signatures only", FAILURE)
def _(h):
    h.set(schemes(0x0101, 0x0103, 0x0201, 0x0203))


@old("no uncompressed points", ILLEGAL, FAILURE)
def _(h):
    h.set(ext(11, b"\1\1"))


@old("curves that nobody should use", FAILURE)
def _(h):
    h.set(groups(1, 9, 19, 21, 22))


@old("extended_master_secret with a byte in it", DECODE, ILLEGAL)
def _(h):
    h.set(ext(23, b"\0"))


@old("extended_master_secret twice", ILLEGAL)
def _(h):
    h.add(ext(23))


@case("TLS 1.2: heartbeat, NPN, truncated_hmac, client_certificate_url, trusted_ca_keys, user_mapping, SRP unanswered", OK)
def _(c):
    found = answer(c, hello12().add(ext(15, b"\1"), ext(13172), ext(4), ext(2), ext(3, b"\0\0"),
                                    ext(6, b"\1\x40"), ext(12, b"\1a")))[3]
    assert not {15, 13172, 4, 2, 3, 6, 12} & set(found), f"ServerHello has {sorted(found)}"
    return b"hello from"


@case("TLS 1.2: OpenPGP certificates are not taken", OK, FAILURE)
def _(c):
    found = answer(c, hello12().add(ext(9, b"\1\1")))[3]
    assert 9 not in found
    return b"hello from"
