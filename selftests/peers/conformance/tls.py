# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS 1.3 client with nothing hidden: every message, extension and record is
bytes that a case may bend before they go out. Its cryptography is python3-
cryptography's; it shares no line with what it tests. It verifies the server's
Finished, not its certificate.
"""
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, TICKET, END_OF_EARLY_DATA = 1, 2, 4, 5
ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_REQUEST = 8, 11, 13
CERTIFICATE_VERIFY, FINISHED, KEY_UPDATE = 15, 20, 24
X25519, P256, P384, P521 = 29, 23, 24, 25
SUITES = {0x1301: ("sha256", 16, AESGCM), 0x1302: ("sha384", 32, AESGCM), 0x1303: ("sha256", 32, ChaCha20Poly1305)}
CURVES = {P256: ec.SECP256R1, P384: ec.SECP384R1, P521: ec.SECP521R1}
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()


class Alert(Exception):
    """The peer's fatal alert."""


class Closed(Exception):
    """The connection ended without an alert."""


def u8(*values):
    return bytes(values)


def u16(*values):
    return b"".join(struct.pack(">H", v) for v in values)


def vec(width, data):
    return len(data).to_bytes(width, "big") + data


def message(kind, body):
    return u8(kind) + vec(3, body)


# ---- extensions by their number

def ext(kind, body=b""):
    return (kind, body)


def versions(*values):
    return ext(43, vec(1, u16(*values)))


def groups(*values):
    return ext(10, vec(2, u16(*values)))


def schemes(*values):
    return ext(13, vec(2, u16(*values)))


def shares(*pairs):
    return ext(51, vec(2, b"".join(u16(g) + vec(2, data) for g, data in pairs)))


def server_name(name):
    return ext(0, vec(2, u8(0) + vec(2, name)))


SCHEMES = (0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806)


class Share:
    def __init__(self, group):
        self.group = group
        self.key = x25519.X25519PrivateKey.generate() if group == X25519 else ec.generate_private_key(CURVES[group]())

    def public(self):
        if self.group == X25519:
            return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def agree(self, peer):
        if self.group == X25519:
            return self.key.exchange(x25519.X25519PublicKey.from_public_bytes(peer))
        return self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVES[self.group](), peer))


class Hello:
    """A ClientHello; a case replaces its fields and extensions."""

    def __init__(self, *offered, suites=(0x1301, 0x1302, 0x1303)):
        self.version, self.random, self.session = 0x0303, os.urandom(32), os.urandom(32)
        self.suites, self.compression = u16(*suites), b"\0"
        self.shares = {g: Share(g) for g in offered or (X25519,)}
        self.list = [server_name(b"server.test"), groups(X25519, P256, P384, P521), schemes(*SCHEMES),
                     versions(0x0304), shares(*((g, s.public()) for g, s in self.shares.items()))]

    def drop(self, kind):
        self.list = [e for e in self.list if e[0] != kind]
        return self

    def set(self, *new):
        for kind, body in new:
            if any(e[0] == kind for e in self.list):
                self.list = [(kind, body) if e[0] == kind else e for e in self.list]
            else:
                self.list.append((kind, body))
        return self

    def add(self, *new):
        self.list += new
        return self

    def extensions(self):
        return b"".join(u16(kind) + vec(2, body) for kind, body in self.list)

    def body(self):
        return (u16(self.version) + self.random + vec(1, self.session) + vec(2, self.suites) +
                vec(1, self.compression) + vec(2, self.extensions()))

    def bytes(self):
        return message(CLIENT_HELLO, self.body())


class Keys:
    """One direction's traffic keys."""

    def __init__(self, suite, secret):
        self.name, size, aead = SUITES[suite]
        self.suite, self.secret, self.seq = suite, secret, 0
        self.aead = aead(expand(self.name, secret, "key", b"", size))
        self.iv = expand(self.name, secret, "iv", b"", 12)

    def nonce(self):
        self.seq += 1
        return bytes(a ^ b for a, b in zip(self.iv, (self.seq - 1).to_bytes(12, "big")))

    def seal(self, kind, data, pad=0, flip=False):
        inner = data + (u8(kind) if kind is not None else b"") + bytes(pad)
        head = u8(DATA) + u16(0x0303, len(inner) + 16)
        out = self.aead.encrypt(self.nonce(), inner, head)
        return head + (out[:-1] + u8(out[-1] ^ 1) if flip else out)

    def open(self, head, data):
        inner = self.aead.decrypt(self.nonce(), data, head).rstrip(b"\0")
        return inner[-1], inner[:-1]

    def update(self):
        return Keys(self.suite, expand(self.name, self.secret, "traffic upd", b"", hashlib.new(self.name).digest_size))


def expand(name, secret, label, context, size):
    info = u16(size) + vec(1, b"tls13 " + label.encode()) + vec(1, context)
    out, block, n = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(secret, block + info + u8(n), name)
        out, n = out + block, n + 1
    return out[:size]


class Schedule:
    """RFC 8446 7.1, for one handshake."""

    def __init__(self, suite, psk=None):
        self.suite, self.name = suite, SUITES[suite][0]
        self.size = hashlib.new(self.name).digest_size
        self.early = hmac.digest(bytes(self.size), psk or bytes(self.size), self.name)
        self.secret = self.early

    def derive(self, secret, label, transcript):
        return expand(self.name, secret, label, hashlib.new(self.name, transcript).digest(), self.size)

    def step(self, value):
        self.secret = hmac.digest(self.derive(self.secret, "derived", b""), value, self.name)

    def finished(self, secret, transcript):
        key = expand(self.name, secret, "finished", b"", self.size)
        return hmac.digest(key, hashlib.new(self.name, transcript).digest(), self.name)

    def binder(self, truncated):
        secret = self.derive(self.early, "res binder", b"")
        return self.finished(secret, truncated)


class Ticket:
    def __init__(self, connection, body):
        life, self.add = struct.unpack_from(">II", body)
        n = body[8]
        nonce, at = body[9:9 + n], 9 + n
        size = int.from_bytes(body[at:at + 2], "big")
        self.life, self.id, self.suite = life, body[at + 2:at + 2 + size], connection.suite
        self.extensions = body[at + 2 + size:]
        s = connection.schedule
        self.psk = expand(s.name, connection.resumption, "resumption", nonce, s.size)


def psk(hello, schedule, identities, binders=None, modes=b"\1"):
    """Adds pre_shared_key, last; binders are computed unless given."""
    size = schedule.size
    ids = vec(2, b"".join(vec(2, name) + struct.pack(">I", age) for name, age in identities))
    given = binders if binders is not None else [bytes(size)] * len(identities)
    hello.set(ext(45, vec(1, modes)))
    hello.add(ext(41, ids + vec(2, b"".join(vec(1, b) for b in given))))
    if binders is None:
        after = 2 + len(identities) * (1 + size)
        right = schedule.binder(hello.bytes()[:-after])
        hello.set(ext(41, ids + vec(2, vec(1, right) * len(identities))))
    return hello


class Connection:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tx = self.rx = None
        self.transcript, self.buffer, self.suite, self.psk = b"", b"", None, None
        self.hello = None
        self.server_extensions = {}

    def close(self):
        self.sock.close()

    # ---- records

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass            # the alert was faster: it is what we read next

    def record(self, kind, data, **bend):
        if self.tx:
            self.raw(self.tx.seal(kind, data, **bend))
        else:
            self.raw(u8(kind) + u16(0x0303) + vec(2, data))

    def exactly(self, n):
        out = b""
        while len(out) < n:
            try:
                piece = self.sock.recv(n - len(out))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed
            out += piece
        return out

    def read(self):
        """One record's type and plaintext; a fatal alert is raised."""
        while True:
            head = self.exactly(5)
            kind, data = head[0], self.exactly(int.from_bytes(head[3:], "big"))
            if kind == CCS:
                continue
            if kind == DATA and self.rx:
                kind, data = self.rx.open(head, data)
            if kind == ALERT and data[1] not in (0, 90):
                raise Alert(data[1])
            return kind, data

    def receive(self):
        """One handshake message's type and body, out of any records."""
        while len(self.buffer) < 4 or len(self.buffer) < 4 + int.from_bytes(self.buffer[1:4], "big"):
            kind, data = self.read()
            if kind == ALERT:
                raise Closed
            assert kind == HANDSHAKE, f"a record of type {kind} where a handshake message was expected"
            self.buffer += data
        size = 4 + int.from_bytes(self.buffer[1:4], "big")
        whole, self.buffer = self.buffer[:size], self.buffer[size:]
        self.last = whole
        return whole[0], whole[4:]

    # ---- the handshake, in steps

    def say(self, whole, split=None):
        self.transcript += whole
        if split is None:
            self.record(HANDSHAKE, whole)
            return
        for i in range(0, len(whole), split):
            self.record(HANDSHAKE, whole[i:i + split])

    def greet(self, hello, **how):
        self.hello = hello
        self.say(hello.bytes(), **how)

    def server_hello(self):
        kind, body = self.receive()
        assert kind == SERVER_HELLO, f"handshake message {kind}, not ServerHello"
        self.transcript += self.last
        n = body[34]
        self.suite = int.from_bytes(body[35 + n:37 + n], "big")
        self.random = body[2:34]
        found, at = {}, 40 + n
        while at < len(body):
            number, size = struct.unpack_from(">HH", body, at)
            found[number] = body[at + 4:at + 4 + size]
            at += 4 + size
        return found

    def is_retry(self):
        return self.random == RETRY

    def retried(self, hello):
        """Answers a HelloRetryRequest by @hello."""
        name = SUITES[self.suite][0]
        first = message(CLIENT_HELLO, self.hello.body())
        rest = self.transcript[len(first):]
        self.transcript = message(254, hashlib.new(name, first).digest()) + rest
        self.greet(hello)

    def keys(self, extensions):
        self.schedule = s = Schedule(self.suite, self.psk if 41 in extensions else None)
        group, size = struct.unpack_from(">HH", extensions[51])
        s.step(self.hello.shares[group].agree(extensions[51][4:4 + size]))
        self.client = s.derive(s.secret, "c hs traffic", self.transcript)
        self.server = s.derive(s.secret, "s hs traffic", self.transcript)
        self.rx = Keys(self.suite, self.server)
        self.next_tx = Keys(self.suite, self.client)

    def server_flight(self):
        """Up to its Finished, which must be right."""
        self.seen = []
        while True:
            before = self.transcript
            kind, body = self.receive()
            self.transcript += self.last
            self.seen.append(kind)
            if kind == CERTIFICATE_REQUEST:
                self.asked = body
            if kind == ENCRYPTED_EXTENSIONS:
                self.encrypted_extensions = body
            if kind == FINISHED:
                assert body == self.schedule.finished(self.server, before), "the server's Finished is wrong"
                break
        s = self.schedule
        s.step(bytes(s.size))
        self.app_client = s.derive(s.secret, "c ap traffic", self.transcript)
        self.app_server = s.derive(s.secret, "s ap traffic", self.transcript)
        self.rx = Keys(self.suite, self.app_server)

    def finished(self):
        return message(FINISHED, self.schedule.finished(self.client, self.transcript))

    def until_finished(self, hello=None, **how):
        """All but our Finished; the caller sends it, or something else."""
        self.greet(hello or Hello(), **how)
        found = self.server_hello()
        self.server_extensions = found
        self.keys(found)
        self.server_flight()
        self.tx = self.next_tx

    def end(self):
        """Our Finished."""
        self.say(self.finished())
        self.opened()

    def opened(self):
        s = self.schedule
        self.tx = Keys(self.suite, self.app_client)
        self.resumption = s.derive(s.secret, "res master", self.transcript)

    def handshake(self, hello=None, **how):
        self.until_finished(hello, **how)
        self.end()

    # ---- afterwards

    def get(self):
        self.record(DATA, b"GET / HTTP/1.0\r\n\r\n")
        return self.page()

    def page(self):
        """The server's page. Tickets are kept, KeyUpdates followed."""
        page = b""
        self.tickets = []
        while b"hello from" not in page:
            kind, data = self.read()
            if kind == DATA:
                page += data
            elif kind == ALERT:
                raise Closed
            else:
                self.after(data)
        return page

    def after(self, data):
        while data:
            kind, size = data[0], int.from_bytes(data[1:4], "big")
            if kind == TICKET:
                self.tickets.append(Ticket(self, data[4:4 + size]))
            elif kind == KEY_UPDATE:
                self.rx = self.rx.update()
            data = data[4 + size:]

    def update(self, request=0):
        self.record(HANDSHAKE, message(KEY_UPDATE, u8(request)))
        self.tx = self.tx.update()

    def nothing_left(self):
        """Ends in close_notify, not in a bare FIN."""
        while True:
            kind, data = self.read()
            if kind == ALERT:
                return data[1] == 0
