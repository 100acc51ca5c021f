# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of TLS 1.3 that are about records, the end of the handshake, and
what comes after it. See cases13.py.
"""

from cases13 import *


# ---- records before the keys

@case("plain text instead of TLS", UNEXPECTED, OVERFLOW, VERSION, DECODE)
def _(c):
    c.raw(b"GET / HTTP/1.0\r\n\r\n")
    c.read()


@case("a record of type 99 first", UNEXPECTED)
def _(c):
    c.record(99, bytes(10))
    c.read()


@case("application data first", UNEXPECTED)
def _(c):
    c.record(DATA, bytes(40))
    c.read()


@case("an empty handshake record first", UNEXPECTED, DECODE)
def _(c):
    c.record(HANDSHAKE, b"")
    c.read()


@case("a plaintext record of 2^14 + 1 bytes", OVERFLOW)
def _(c):
    c.raw(u8(HANDSHAKE, 3, 1) + vec(2, message(CLIENT_HELLO, bytes(2 ** 14 - 3))))
    c.read()


@case("change_cipher_spec before the ClientHello", UNEXPECTED)
def _(c):
    c.raw(u8(CCS, 3, 3, 0, 1, 1))
    plain_hello(c, Hello())


@case("a message behind the ClientHello in its record", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, Hello().bytes() + message(FINISHED, bytes(32)))
    c.receive()
    while True:
        c.read()


@case("part of a ClientHello, then change_cipher_spec", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, Hello().bytes()[:50])
    c.raw(u8(CCS, 3, 3, 0, 1, 1))
    c.read()


@case("a Finished first", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(FINISHED, bytes(32)))
    c.read()


@case("a handshake message of type 99 first", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(99, b""))
    c.read()


for version in (0x0300, 0x0301, 0x0303, 0x0304):
    @case(f"record version {version:04x} in the first hello", OK, VERSION)
    def _(c, version=version):
        whole = Hello()
        c.hello = whole
        c.transcript = whole.bytes()
        c.raw(u8(HANDSHAKE) + u16(version) + vec(2, c.transcript))
        c.keys(c.server_hello())
        c.server_flight()
        c.tx = c.next_tx
        c.end()
        return c.get()


# ---- between ServerHello and our Finished

def instead(name, *outcome):
    """What is sent where our Finished should be."""
    def put(function):
        def run(c):
            c.until_finished()
            function(c)
            while True:
                c.read()
        CASES.append((name, outcome, run))
        return function
    return put


for text, bend in (("with a wrong bit", lambda v: v[:-1] + u8(v[-1] ^ 1)), ("of zeros", lambda v: bytes(len(v)))):
    @instead(f"Finished {text}", DECRYPT)
    def _(c, bend=bend):
        c.record(HANDSHAKE, message(FINISHED, bend(c.finished()[4:])))

for text, bend in (("empty", lambda v: b""), ("a byte short", lambda v: v[:-1]), ("a byte long", lambda v: v + b"\0"),
                   ("twice as long", lambda v: v + v)):
    @instead(f"Finished {text}", DECODE, DECRYPT)
    def _(c, bend=bend):
        c.record(HANDSHAKE, message(FINISHED, bend(c.finished()[4:])))


@instead("Finished in plaintext", UNEXPECTED)
def _(c):
    whole = c.finished()
    c.tx = None
    c.record(HANDSHAKE, whole)


@instead("data before our Finished", UNEXPECTED)
def _(c):
    c.record(DATA, b"GET / HTTP/1.0\r\n\r\n")


@instead("a KeyUpdate before our Finished", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b"\0"))


@instead("a KeyUpdate in our Finished's record", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, c.finished() + message(KEY_UPDATE, b"\0"))


@instead("a Certificate that nobody asked for", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(CERTIFICATE, b"\0\0\0\0"))


@instead("a CertificateVerify that nobody asked for", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(CERTIFICATE_VERIFY, b"\4\3\0\0"))


@instead("a second ClientHello", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, Hello().bytes())


@instead("EndOfEarlyData without early data", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(END_OF_EARLY_DATA, b""))


@instead("change_cipher_spec of value 2", UNEXPECTED)
def _(c):
    c.raw(u8(CCS, 3, 3, 0, 1, 2))


@instead("change_cipher_spec of two bytes", UNEXPECTED)
def _(c):
    c.raw(u8(CCS, 3, 3, 0, 2, 1, 1))


@instead("change_cipher_spec of no bytes", UNEXPECTED)
def _(c):
    c.raw(u8(CCS, 3, 3, 0, 0))


@instead("change_cipher_spec, encrypted", UNEXPECTED)
def _(c):
    c.record(CCS, b"\1")


@instead("a record that was changed", BAD_MAC)
def _(c):
    c.record(HANDSHAKE, c.finished(), flip=True)


@instead("a record without content type", UNEXPECTED)
def _(c):
    c.record(None, bytes(20))


@instead("an empty handshake record", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, b"")


@instead("an inner type that nobody knows", UNEXPECTED)
def _(c):
    c.record(24, b"\1\0\0")


@instead("a ciphertext of 16 bytes", UNEXPECTED, BAD_MAC, DECODE)
def _(c):
    c.raw(u8(DATA, 3, 3) + vec(2, bytes(16)))


@instead("a ciphertext of 2^14 + 257 bytes", OVERFLOW)
def _(c):
    c.raw(u8(DATA, 3, 3) + vec(2, bytes(2 ** 14 + 257)))


@instead("an empty alert, encrypted", UNEXPECTED, DECODE)
def _(c):
    c.record(ALERT, b"")


@instead("an alert of three bytes", UNEXPECTED, DECODE)
def _(c):
    c.record(ALERT, b"\2\50\0")


@case("Finished with padding", OK)
def _(c):
    c.until_finished()
    whole = c.finished()
    c.transcript += whole
    c.record(HANDSHAKE, whole, pad=1000)
    c.opened()
    return c.get()


@case("our fatal alert ends it without an answer", OK)
def _(c):
    c.until_finished()
    c.record(ALERT, b"\2\50")
    try:
        while True:
            c.read()
    except Closed:
        return b"hello from"


# ---- after it

def after(name, *outcome):
    def put(function):
        def run(c):
            c.handshake()
            function(c)
            return c.page()
        CASES.append((name, outcome, run))
        return function
    return put


def ask(c, **bend):
    c.record(DATA, b"GET / HTTP/1.0\r\n\r\n", **bend)


@after("the request in records of one byte", OK)
def _(c):
    for byte in b"GET / HTTP/1.0\r\n\r\n":
        c.record(DATA, u8(byte))


@after("empty records of data", OK)
def _(c):
    for pad in (0, 1, 100, 16384):
        c.record(DATA, b"", pad=pad)
    ask(c)


@after("a record of 2^14 bytes and padding that fills it", OK)
def _(c):
    ask(c, pad=2 ** 14 - 18)


@after("a plaintext of 2^14 + 1 bytes", OVERFLOW)
def _(c):
    c.record(DATA, bytes(2 ** 14 + 1))


@after("content and padding of 2^14 + 1 bytes", OVERFLOW)
def _(c):
    ask(c, pad=2 ** 14 + 1 - 18)


@after("a record of data that was changed", BAD_MAC)
def _(c):
    ask(c, flip=True)


@after("a record of data twice", BAD_MAC)
def _(c):
    whole = c.tx.seal(DATA, b"GET / ")
    c.raw(whole + whole)


@after("a record too short for a tag", BAD_MAC, DECODE, UNEXPECTED)
def _(c):
    c.raw(u8(DATA, 3, 3, 0, 5) + bytes(5))


@after("a record of nothing", BAD_MAC, DECODE, UNEXPECTED)
def _(c):
    c.raw(u8(DATA, 3, 3, 0, 0))


@after("data in plaintext", UNEXPECTED, BAD_MAC)
def _(c):
    c.raw(u8(HANDSHAKE, 3, 3) + vec(2, message(KEY_UPDATE, b"\0")))


@after("change_cipher_spec after the handshake", UNEXPECTED)
def _(c):
    c.raw(u8(CCS, 3, 3, 0, 1, 1))
    ask(c)


@after("a record without content type, later", UNEXPECTED)
def _(c):
    c.record(None, bytes(30))


@after("an inner type that nobody knows, later", UNEXPECTED)
def _(c):
    c.record(24, b"\1\0\0")


@after("user_canceled is only a warning", OK)
def _(c):
    c.record(ALERT, b"\1\x5a")
    ask(c)


@case("close_notify is answered by close_notify", OK)
def _(c):
    c.handshake()
    c.record(ALERT, b"\1\0")
    assert c.nothing_left()
    return b"hello from"


@case("the server's page ends in close_notify", OK)
def _(c):
    c.handshake()
    page = c.get()
    assert c.nothing_left()
    return page


# ---- KeyUpdate

@after("KeyUpdate, then data", OK)
def _(c):
    c.update()
    ask(c)


@case("KeyUpdate that asks for one", OK)
def _(c):
    c.handshake()
    before = c.rx
    c.update(1)
    page = c.get()
    assert c.rx is not before, "no KeyUpdate came back"
    return page


for number, what in ((16, OK), (100, UNEXPECTED)):
    @after(f"{number} KeyUpdates and nothing between them", what)
    def _(c, number=number):
        for i in range(number):
            c.update()
        ask(c)


@after("a KeyUpdate in pieces of one byte", OK)
def _(c):
    for byte in message(KEY_UPDATE, b"\0"):
        c.record(HANDSHAKE, u8(byte))
    c.tx = c.tx.update()
    ask(c)


@after("a KeyUpdate of value 2", ILLEGAL)
def _(c):
    c.update(2)


@after("a KeyUpdate of no bytes", DECODE)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b""))


@after("a KeyUpdate of two bytes", DECODE)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b"\0\0"))


@after("two KeyUpdates in one record", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b"\0") * 2)


@after("data under the old key after a KeyUpdate", BAD_MAC)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b"\0"))
    ask(c)


@after("data between the pieces of a message", UNEXPECTED)
def _(c):
    c.record(HANDSHAKE, message(KEY_UPDATE, b"\0")[:2])
    ask(c)


for kind, name in ((CLIENT_HELLO, "ClientHello"), (SERVER_HELLO, "ServerHello"), (TICKET, "NewSessionTicket"),
                   (CERTIFICATE, "Certificate"), (CERTIFICATE_REQUEST, "CertificateRequest"), (FINISHED, "Finished"),
                   (END_OF_EARLY_DATA, "EndOfEarlyData"), (0, "HelloRequest"), (99, "a message of type 99")):
    @after(f"{name} after the handshake", UNEXPECTED)
    def _(c, kind=kind):
        c.record(HANDSHAKE, message(kind, Hello().body() if kind == CLIENT_HELLO else bytes(32)))


# ---- resumption

def ticket_of(port):
    c = Connection(port)
    c.handshake(Hello().add(ext(45, b"\1\1")))
    c.get()
    c.close()
    assert c.tickets, "no ticket"
    return c.tickets[0]


def resumption(name, *outcome):
    """A function of connection, hello and ticket that adds pre_shared_key."""
    def put(function):
        def run(c):
            t = ticket_of(c.sock.getpeername()[1])
            s = Schedule(t.suite, t.psk)
            h = function(c, Hello(suites=(t.suite,)), t, s)
            c.psk = t.psk
            c.handshake(h)
            return c.get()
        CASES.append((name, outcome, run))
        return function
    return put


def resumed(c, yes=True):
    """To be looked at after the handshake."""
    c.wants_resumed = yes


@resumption("a ticket resumes", OK)
def _(c, h, t, s):
    resumed(c)
    return psk(h, s, [(t.id, t.add)])


@resumption("a ticket behind one that is unknown", OK)
def _(c, h, t, s):
    return psk(h, s, [(b"unknown" * 5, 0), (t.id, t.add)])


@resumption("unknown tickets only: a full handshake", OK)
def _(c, h, t, s):
    resumed(c, False)
    return psk(h, s, [(b"unknown" * 5, 0)] * 3)


@resumption("a ticket with a bit changed: a full handshake", OK)
def _(c, h, t, s):
    resumed(c, False)
    return psk(h, s, [(t.id[:-1] + u8(t.id[-1] ^ 1), t.add)])


@resumption("a wrong binder", DECRYPT)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)], [bytes(s.size)])


@resumption("a binder of 31 bytes", DECODE, DECRYPT, ILLEGAL)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)], [bytes(31)])


@resumption("a binder too few", ILLEGAL, DECODE)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add), (b"x" * 16, 0)], [bytes(s.size)])


@resumption("a binder too many", ILLEGAL, DECODE)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)], [bytes(s.size)] * 2)


@resumption("no identities", DECODE)
def _(c, h, t, s):
    return psk(h, s, [], [])


@resumption("an empty identity", DECODE, ILLEGAL)
def _(c, h, t, s):
    return psk(h, s, [(b"", 0)])


@resumption("an extension behind pre_shared_key", ILLEGAL)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)]).add(ext(21, b"\0"))


@resumption("pre_shared_key without psk_key_exchange_modes", MISSING)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)]).drop(45)


@resumption("psk_ke only: a full handshake", OK)
def _(c, h, t, s):
    resumed(c, False)
    return psk(h, s, [(t.id, t.add)], modes=b"\0")


@resumption("an unknown mode beside psk_dhe_ke", OK)
def _(c, h, t, s):
    return psk(h, s, [(t.id, t.add)], modes=b"\x7a\1")


@resumption("early_data that nobody allowed is skipped", OK)
def _(c, h, t, s):
    resumed(c)
    h.add(ext(42))
    return psk(h, s, [(t.id, t.add)])


@case("early data of garbage is skipped", OK)
def _(c):
    h = Hello().add(ext(45, b"\1\1"), ext(42))
    s = Schedule(0x1301, bytes(32))
    c.greet(psk(h, s, [(b"unknown" * 5, 0)]))
    for size in (16, 100, 1000):
        c.raw(u8(DATA, 3, 3) + vec(2, bytes(size + 17)))
    c.keys(c.server_hello())
    c.server_flight()
    c.tx = c.next_tx
    c.end()
    return c.get()


@case("garbage without early_data", BAD_MAC, UNEXPECTED)
def _(c):
    c.greet(Hello())
    c.raw(u8(DATA, 3, 3) + vec(2, bytes(100)))
    c.keys(c.server_hello())
    c.server_flight()
    while True:
        c.read()


@case("more garbage than any early data may be", BAD_MAC, UNEXPECTED, OVERFLOW)
def _(c):
    h = Hello().add(ext(45, b"\1\1"), ext(42))
    c.greet(psk(h, Schedule(0x1301, bytes(32)), [(b"unknown" * 5, 0)]))
    for i in range(40):
        c.raw(u8(DATA, 3, 3) + vec(2, bytes(16384)))
    c.keys(c.server_hello())
    c.server_flight()
    while True:
        c.read()


@case("a connection that is closed in mid-hello leaves the server well", OK)
def _(c):
    port = c.sock.getpeername()[1]
    for cut in range(1, 100, 7):
        other = Connection(port)
        other.raw(Hello().bytes()[:cut])
        other.close()
    c.handshake()
    return c.get()
