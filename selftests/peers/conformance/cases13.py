# SPDX-License-Identifier: GPL-2.0-or-later
"""What a TLS 1.3 client may do wrong, or right in an unusual way, and the
alert that RFC 8446 (or the extension's RFC) wants for it. Each case is a
function of a connection; case(name, outcome) puts it into the table. An
outcome is an alert's number or OK, the page that the server has.
"""
from tls import *

OK = "the page"
CASES = []
UNEXPECTED, BAD_MAC, OVERFLOW, FAILURE, ILLEGAL, DECODE, DECRYPT, VERSION, MISSING = 10, 20, 22, 40, 47, 50, 51, 70, 109
UNRECOGNIZED_NAME, NO_ALPN = 112, 120


def case(name, *outcome):
    """The first of @outcome is what we do; others are allowed by the RFC as well."""
    def put(function):
        CASES.append((name, outcome, function))
        return function
    return put


def hello_case(name, *outcome):
    """A function that bends a ClientHello; then the handshake goes on, where it can."""
    def put(function):
        def run(c):
            h = Hello()
            c.handshake(function(h) or h)
            return c.get()
        CASES.append((name, outcome, run))
        return function
    return put


def plain_hello(c, hello):
    c.greet(hello)
    c.receive()


# ---- the usual, in all its forms

@case("a handshake and a page", OK)
def _(c):
    c.handshake()
    return c.get()


for number, text in ((P256, "secp256r1"), (P384, "secp384r1"), (P521, "secp521r1")):
    @case(f"key share of {text}", OK)
    def _(c, number=number):
        c.handshake(Hello(number))
        return c.get()

for suite in SUITES:
    @case(f"suite {suite:04x} alone", OK)
    def _(c, suite=suite):
        c.handshake(Hello(suites=(suite,)))
        assert c.suite == suite
        return c.get()


for step in (1, 2, 3, 5, 50):
    @case(f"ClientHello and Finished in records of {step} bytes", OK)
    def _(c, step=step):
        c.until_finished(split=step)
        whole = c.finished()
        c.say(whole, split=step)
        c.opened()
        return c.get()


@case("change_cipher_spec after the ClientHello", OK)
def _(c):
    c.greet(Hello())
    c.raw(u8(CCS, 3, 3, 0, 1, 1))
    c.keys(c.server_hello())
    c.server_flight()
    c.tx = c.next_tx
    c.end()
    return c.get()


@case("two of them before our Finished", OK, UNEXPECTED)
def _(c):
    c.until_finished()
    c.raw(u8(CCS, 3, 3, 0, 1, 1) * 2)
    c.end()
    return c.get()


@hello_case("no session id: no compatibility mode", OK)
def _(h):
    h.session = b""


@hello_case("extensions in reverse order", OK)
def _(h):
    h.list.reverse()


@hello_case("400 unknown extensions", OK)
def _(h):
    h.add(*(ext(0x6000 + i) for i in range(400)))


@hello_case("GREASE everywhere", OK)
def _(h):
    h.suites = u16(0x1a1a) + h.suites
    h.set(groups(0x2a2a, X25519), versions(0x3a3a, 0x0304), schemes(0x4a4a, *SCHEMES),
          shares((0x2a2a, b"\0"), *((g, s.public()) for g, s in h.shares.items())))
    h.list = [ext(0x5a5a)] + h.list + [ext(0x6a6a, b"\0")]


@hello_case("padding to 12,000 bytes", OK)
def _(h):
    h.add(ext(21, bytes(12000)))


@hello_case("compression methods beside null in TLS 1.3", ILLEGAL)
def _(h):
    h.compression = b"\1\0"


@hello_case("no null compression", ILLEGAL)
def _(h):
    h.compression = b"\1"


@hello_case("no compression methods", DECODE, ILLEGAL)
def _(h):
    h.compression = b""


@hello_case("no suites", DECODE, ILLEGAL)
def _(h):
    h.suites = b""


@hello_case("an odd length of suites", DECODE)
def _(h):
    h.suites += b"\x13"


@hello_case("only suites that are off or unknown", FAILURE)
def _(h):
    h.suites = u16(0x1304, 0x1305, 0x13ff)


@hello_case("a session id of 33 bytes", DECODE, ILLEGAL)
def _(h):
    h.session = bytes(33)


for number, name in ((0, "server_name"), (10, "supported_groups"), (13, "signature_algorithms"), (51, "key_share"),
                     (43, "supported_versions")):
    @hello_case(f"{name} twice", ILLEGAL)
    def _(h, number=number):
        h.add(next(e for e in h.list if e[0] == number))

for number, name in ((10, "supported_groups"), (13, "signature_algorithms"), (51, "key_share")):
    @hello_case(f"no {name}", MISSING)
    def _(h, number=number):
        h.drop(number)

    @hello_case(f"{name} of no bytes", DECODE)
    def _(h, number=number):
        h.set(ext(number))

    @hello_case(f"{name} with a byte behind its end", DECODE)
    def _(h, number=number):
        h.list = [(k, b + b"\0" if k == number else b) for k, b in h.list]


@hello_case("an empty list of signature_algorithms", DECODE)
def _(h):
    h.set(ext(13, b"\0\0"))


@hello_case("an empty list of supported_groups", DECODE)
def _(h):
    h.set(ext(10, b"\0\0"))


@hello_case("an odd length of signature_algorithms", DECODE)
def _(h):
    h.set(ext(13, b"\0\3\4\3\5"))


@hello_case("SHA-1 and RSA PKCS#1 schemes only", FAILURE)
def _(h):
    h.set(schemes(0x0201, 0x0203, 0x0401, 0x0501))


@hello_case("unknown groups only", FAILURE)
def _(h):
    h.set(groups(0x6666), shares((0x6666, bytes(32))))


@hello_case("sect and secp192 curves only", FAILURE)
def _(h):
    h.set(groups(1, 19, 21, 22), shares((19, bytes(49))))


# ---- supported_versions

@hello_case("only TLS 1.1 and 1.0 in supported_versions", VERSION)
def _(h):
    h.set(versions(0x0302, 0x0301))


@hello_case("only a version that nobody knows", VERSION)
def _(h):
    h.set(versions(0x7a7a))


@hello_case("drafts of TLS 1.3 only", VERSION)
def _(h):
    h.set(versions(0x7f1c, 0x7f17))


@hello_case("an empty list of versions", DECODE)
def _(h):
    h.set(ext(43, b"\0"))


@hello_case("an odd length of versions", DECODE)
def _(h):
    h.set(ext(43, b"\3\3\4\3"))


@hello_case("legacy_version of TLS 1.0 beside supported_versions", OK, VERSION)
def _(h):
    h.version = 0x0301


@hello_case("legacy_version above TLS 1.2 beside supported_versions", OK)
def _(h):
    h.version = 0x0305


# ---- key_share

@hello_case("two shares of one group", ILLEGAL)
def _(h):
    pair = (X25519, h.shares[X25519].public())
    h.set(shares(pair, pair))


@hello_case("a share of a group that is not offered", ILLEGAL)
def _(h):
    h.set(groups(P256))


@hello_case("an x25519 share of zeros", ILLEGAL)
def _(h):
    h.set(shares((X25519, bytes(32))))


@hello_case("an x25519 share of order 8", ILLEGAL)
def _(h):
    h.set(shares((X25519, bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"))))


@hello_case("an x25519 share of 31 bytes", ILLEGAL, DECODE)
def _(h):
    h.set(shares((X25519, bytes(31))))


@hello_case("an x25519 share of 33 bytes", ILLEGAL, DECODE)
def _(h):
    h.set(shares((X25519, h.shares[X25519].public() + b"\0")))


@hello_case("an empty share", DECODE, ILLEGAL)
def _(h):
    h.set(shares((X25519, b"")))


for number in CURVES:
    @case(f"group {number}: a point off the curve", ILLEGAL)
    def _(c, number=number):
        h = Hello(number)
        point = bytearray(h.shares[number].public())
        point[-1] ^= 1
        plain_hello(c, h.set(shares((number, bytes(point)))))

    @case(f"group {number}: a compressed point", ILLEGAL)
    def _(c, number=number):
        h = Hello(number)
        point = h.shares[number].public()
        plain_hello(c, h.set(shares((number, u8(2 + (point[-1] & 1)) + point[1:1 + len(point) // 2]))))

    @case(f"group {number}: a hybrid point", ILLEGAL)
    def _(c, number=number):
        h = Hello(number)
        point = h.shares[number].public()
        plain_hello(c, h.set(shares((number, u8(6 + (point[-1] & 1)) + point[1:]))))

    @case(f"group {number}: a point of zeros", ILLEGAL)
    def _(c, number=number):
        h = Hello(number)
        plain_hello(c, h.set(shares((number, u8(4) + bytes(len(h.shares[number].public()) - 1)))))

    @case(f"group {number}: a point that is cut", ILLEGAL, DECODE)
    def _(c, number=number):
        h = Hello(number)
        plain_hello(c, h.set(shares((number, h.shares[number].public()[:-1]))))


@case("X25519MLKEM768: a share that is too short", ILLEGAL, DECODE)
def _(c):
    plain_hello(c, Hello().set(groups(0x11ec), shares((0x11ec, bytes(1215)))))


@case("X25519MLKEM768: coefficients above q", ILLEGAL)
def _(c):
    plain_hello(c, Hello().set(groups(0x11ec), shares((0x11ec, b"\xff" * 1184 + Share(X25519).public()))))


@case("X25519MLKEM768: zeros for x25519", ILLEGAL)
def _(c):
    plain_hello(c, Hello().set(groups(0x11ec), shares((0x11ec, bytes(1184 + 32)))))


# ---- HelloRetryRequest

def retry(c, first=None):
    first = first or Hello(P256).set(shares())
    c.greet(first)
    found = c.server_hello()
    assert c.is_retry(), "no HelloRetryRequest"
    h = Hello(*((int.from_bytes(found[51], "big"),) if 51 in found else first.shares))
    h.random, h.session = first.random, first.session
    h.list = [next((n for n in h.list if n[0] == e[0] == 51), e) for e in first.list]
    if 44 in found:
        h.add(ext(44, found[44]))
    return h


def second(c, hello):
    c.retried(hello)
    c.keys(c.server_hello())
    c.server_flight()
    c.tx = c.next_tx
    c.end()
    return c.get()


@case("no shares: a retry", OK)
def _(c):
    return second(c, retry(c))


@case("a share of a group that the server lacks: a retry", OK)
def _(c):
    return second(c, retry(c, Hello().set(groups(0x6666, P384), shares((0x6666, b"\0")))))


@case("retry: change_cipher_spec before the second hello", OK)
def _(c):
    h = retry(c)
    c.raw(u8(CCS, 3, 3, 0, 1, 1))
    return second(c, h)


@case("retry: no share again", ILLEGAL, MISSING)
def _(c):
    h = retry(c)
    second(c, h.set(shares()))


@case("retry: no key_share", MISSING, ILLEGAL)
def _(c):
    second(c, retry(c).drop(51))


@case("retry: another group", ILLEGAL)
def _(c):
    h = retry(c)
    other = P384 if P384 not in h.shares else P521
    second(c, h.set(shares((other, Share(other).public()))))


@case("retry: a share more than was asked for", ILLEGAL)
def _(c):
    h = retry(c)
    other = P384 if P384 not in h.shares else P521
    second(c, h.set(shares(*((g, s.public()) for g, s in h.shares.items()), (other, Share(other).public()))))


@case("retry: other suites", ILLEGAL, FAILURE)
def _(c):
    h = retry(c)
    h.suites = u16(*(s for s in SUITES if s != c.suite))
    second(c, h)


@case("retry: TLS 1.2 only", ILLEGAL, VERSION, FAILURE)
def _(c):
    second(c, retry(c).set(versions(0x0303)))


@case("retry: early_data", ILLEGAL)
def _(c):
    second(c, retry(c).add(ext(42)))


@case("retry: Finished instead of a hello", UNEXPECTED)
def _(c):
    retry(c)
    c.say(message(FINISHED, bytes(32)))
    c.receive()


# ---- other extensions

@hello_case("server_name: two host names", ILLEGAL, DECODE)
def _(h):
    one = u8(0) + vec(2, b"server.test")
    h.set(ext(0, vec(2, one + one)))


@hello_case("server_name: an empty list", DECODE)
def _(h):
    h.set(ext(0, b"\0\0"))


@hello_case("server_name: an empty name", DECODE, ILLEGAL)
def _(h):
    h.set(server_name(b""))


@hello_case("server_name: a name with NUL in it", UNRECOGNIZED_NAME, ILLEGAL, DECODE)
def _(h):
    h.set(server_name(b"server\0.test"))


@hello_case("server_name: a name that is cut", DECODE)
def _(h):
    h.set(ext(0, vec(2, b"\0\0\20server.test")))


@hello_case("no server_name", OK)
def _(h):
    h.drop(0)


@hello_case("ALPN: an empty list", DECODE)
def _(h):
    h.add(ext(16, b"\0\0"))


@hello_case("ALPN: an empty protocol", DECODE, ILLEGAL)
def _(h):
    h.add(ext(16, vec(2, vec(1, b"") + vec(1, b"http/1.1"))))


@hello_case("record_size_limit of 63", ILLEGAL)
def _(h):
    h.add(ext(28, u16(63)))


@hello_case("record_size_limit of 64", OK)
def _(h):
    h.add(ext(28, u16(64)))


@hello_case("record_size_limit of three bytes", DECODE, ILLEGAL)
def _(h):
    h.add(ext(28, b"\0\0\0"))


@hello_case("max_fragment_length of 0", ILLEGAL)
def _(h):
    h.add(ext(1, b"\0"))


@hello_case("max_fragment_length of 5", ILLEGAL)
def _(h):
    h.add(ext(1, b"\5"))


@hello_case("psk_key_exchange_modes: an empty list", DECODE)
def _(h):
    h.add(ext(45, b"\0"))


@hello_case("ec_point_formats without uncompressed in TLS 1.3", OK, ILLEGAL)
def _(h):
    h.add(ext(11, b"\1\1"))


@hello_case("heartbeat, NPN, truncated_hmac, trusted_ca_keys, client_certificate_url, SRP, user_mapping: ignored", OK)
def _(h):
    h.add(ext(15, b"\1"), ext(13172), ext(4), ext(3, b"\0\0"), ext(2), ext(12, b"\1a"), ext(6, b"\1\x40"))


@case("none of them is answered", OK)
def _(c):
    c.handshake(Hello().add(ext(15, b"\1"), ext(13172), ext(4), ext(3, b"\0\0"), ext(2), ext(12, b"\1a"), ext(22), ext(23)))
    body = c.encrypted_extensions
    found, at = [], 2
    while at < len(body):
        found.append(int.from_bytes(body[at:at + 2], "big"))
        at += 4 + int.from_bytes(body[at + 2:at + 4], "big")
    assert set(found) <= {0, 10}, f"EncryptedExtensions has {found}"
    assert set(c.server_extensions) == {43, 51}, f"ServerHello has {sorted(c.server_extensions)}"
    return c.get()


@hello_case("a cookie that nobody gave", ILLEGAL, OK)
def _(h):
    h.add(ext(44, vec(2, b"x" * 16)))


@hello_case("an empty cookie", DECODE)
def _(h):
    h.add(ext(44, b"\0\0"))


# ---- lengths around it

@case("ClientHello: bytes behind its extensions", DECODE)
def _(c):
    plain_hello_bytes(c, Hello().body() + b"\0")


@case("ClientHello: extensions that claim a byte more", DECODE)
def _(c):
    h = Hello()
    cut = h.body()[:-len(h.extensions()) - 2]
    plain_hello_bytes(c, cut + u16(len(h.extensions()) + 1) + h.extensions())


@case("ClientHello: the last extension is cut", DECODE)
def _(c):
    h = Hello()
    cut = h.body()[:-len(h.extensions()) - 2]
    plain_hello_bytes(c, cut + vec(2, h.extensions()[:-1]))


for keep in (0, 1, 2, 33, 34, 35, 70):
    @case(f"ClientHello of {keep} bytes", DECODE, ILLEGAL, VERSION)
    def _(c, keep=keep):
        plain_hello_bytes(c, Hello().body()[:keep])


def plain_hello_bytes(c, body):
    c.record(HANDSHAKE, message(CLIENT_HELLO, body))
    c.receive()


@case("ClientHello of 2^24 - 1 bytes", DECODE, ILLEGAL, UNEXPECTED, OVERFLOW, FAILURE)
def _(c):
    c.record(HANDSHAKE, u8(CLIENT_HELLO, 255, 255, 255) + bytes(1000))
    c.receive()
