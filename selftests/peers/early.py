#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Early data as a program without libktls has it: parameters of the
handshake's setsockopt, and what KTLS_INFO says afterwards.

early.py serve PORT MAX	for each connection a line of what came early and how, then
	what it reads is read to the end of a line and sent back
early.py ask PORT NAME TRUST DATA	DATA goes early, or afterwards; then a line is read
"""
import socket
import struct
import sys

from vm_peer import KTLS_INFO, SOL_TLS, Ktls, attribute, connect, expect, listener

KTLS_I_EARLY, KTLS_I_EARLY_DATA = 14, 15
KTLS_P_EARLY_DATA, KTLS_P_EARLY_MAX = 9, 10
WORDS = {None: "none", 1: "accepted", 2: "rejected"}


class Early(Ktls):
    """With one more attribute than Ktls knows."""

    def __init__(self, sock, role, extra, **wish):
        self.extra = extra
        super().__init__(_With(sock, extra), role, **wish)
        self.sock = sock

    def early(self):
        raw = self.sock.getsockopt(SOL_TLS, KTLS_INFO, 1024)
        at, word, data = struct.calcsize("=BBBBiHHIQIIQQQQ"), None, b""
        while at + 4 <= len(raw):
            length, kind = struct.unpack_from("=HH", raw, at)
            if kind == KTLS_I_EARLY:
                word = struct.unpack_from("=H", raw, at + 4)[0]
            if kind == KTLS_I_EARLY_DATA:
                data = raw[at + 4:at + length]
            at += length + -length % 4
        return WORDS[word], data


class _With:
    """A socket whose handshake has the attribute as well."""

    def __init__(self, sock, extra):
        self.sock, self.extra = sock, extra

    def setsockopt(self, level, option, value):
        self.sock.setsockopt(level, option, value + self.extra if level == SOL_TLS else value)


def line(sock):
    data = b""
    while not data.endswith(b"\n"):
        more = sock.recv(1000)
        if not more:
            break
        data += more
    return data


def serve(port, most):
    server = listener(port)
    while True:
        sock = server.accept()[0]
        tls = Early(sock, "server", attribute(KTLS_P_EARLY_MAX, struct.pack("=I", int(most))))
        expect(not tls.errno, "handshake: errno %d" % tls.errno)
        word, data = tls.early()
        print("early", word, data.decode().strip(), flush=True)
        got = line(sock)
        print("read", got.decode().strip(), flush=True)
        sock.sendall(b"you said " + got)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1000):
            pass
        sock.close()


def ask(port, name, trust, text):
    sock, data = connect(port), text.encode() + b"\n"
    sock.settimeout(None)
    tls = Early(sock, "client", attribute(KTLS_P_EARLY_DATA, data), name=name, trust=trust)
    expect(not tls.errno, "handshake: errno %d, %s" % (tls.errno, tls.info()["reason"]))
    word = tls.early()[0]
    print("early", word, flush=True)
    if word != "accepted":
        sock.sendall(data)
    print("got", line(sock).decode().strip(), flush=True)
    sock.close()


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
