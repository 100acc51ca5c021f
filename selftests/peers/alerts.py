#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""alerts.py PORT [DESCRIPTION...]: a program with two setsockopts, and for each
alert a client (conformance/) that sends it after a byte of data: the program
reads the byte, then what the alert means, and KTLS_INFO has it. TAP.
"""
import errno
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance"))
from tls import ALERT, DATA, Alert, Closed, Connection, u8  # noqa: E402
from vm_peer import Ktls, listener  # noqa: E402

CLOSE_NOTIFY, USER_CANCELED = 0, 90
# IANA's registry, those that are reserved as well, and one that nobody has.
ALL = (CLOSE_NOTIFY, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 60, 70, 71, 80, 86,
       USER_CANCELED, 100, 109, 110, 111, 112, 113, 114, 115, 116, 117, 120, 121, 255)

port = int(sys.argv[1])
listening = listener(port)


def accepted():
    """A session: the program's socket and the client that made it."""
    client = Connection(port)
    client.sock.settimeout(240)
    sock = listening.accept()[0]
    sock.setblocking(False)     # Python lets no other thread run in setsockopt()
    tls = Ktls(sock, "server", 240000, identity="rsa")
    assert tls.errno == errno.EINPROGRESS, os.strerror(tls.errno)
    client.handshake()
    assert select.select([], [sock], [], 240)[1]
    assert not tls.info()["error"], tls.info()
    sock.setblocking(True)
    return tls, client


def fails(call):
    try:
        call()
    except OSError as e:
        return e.errno
    return 0


def heard(client):
    """What the client gets: data, or why there is none. Tickets come first."""
    try:
        while True:
            kind, data = client.read()
            if kind == DATA:
                return data
            client.after(data)
    except (Alert, Closed) as e:
        return type(e).__name__


def fatal(tls, client, number):
    fd = tls.sock.fileno()
    assert fails(lambda: os.read(fd, 10)) == errno.EPROTO, "read() after it does not fail with EPROTO"
    info = tls.info()
    assert (info["alert"], info["from"]) == (number, "peer"), info
    assert fails(lambda: os.write(fd, b"too late")), "write() after it works"
    tls.sock.close()
    assert heard(client) == "Closed", "it was answered"


def closing(tls, client):
    fd = tls.sock.fileno()
    assert os.read(fd, 10) == b"", "close_notify is not the end"
    os.write(fd, b"not yet")        # RFC 9846 6.1: one direction only
    assert heard(client) == b"not yet"
    tls.sock.close()
    assert client.nothing_left()


def check(number):
    tls, client = accepted()
    client.record(DATA, b"x")
    client.record(ALERT, u8(1 + number % 2, number))
    if number == USER_CANCELED:
        client.record(ALERT, u8(1, CLOSE_NOTIFY))
    assert os.read(tls.sock.fileno(), 10) == b"x", "the data before it is lost"
    if number in (CLOSE_NOTIFY, USER_CANCELED):
        closing(tls, client)
    else:
        fatal(tls, client, number)
    client.close()
    tls.sock.close()


numbers = [int(a) for a in sys.argv[2:]] or ALL
bad = 0
for n in numbers:
    try:
        check(n)
        print(f"ok - alert {n}", flush=True)
    except Exception as e:
        bad += 1
        print(f"not ok - alert {n}\n# {e!r:.300}", flush=True)
print(f"1..{len(numbers)}")
sys.exit(bad > 0)
