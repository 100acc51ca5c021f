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

from vm_peer import Ktls, attribute, connect, expect, line, listener

KTLS_I_EARLY, KTLS_I_EARLY_DATA = 14, 15
KTLS_P_EARLY_DATA, KTLS_P_EARLY_MAX = 9, 10
WORDS = {None: "none", 1: "accepted", 2: "rejected"}


def early(tls):
    """What became of them, and the data."""
    told = tls.attributes()
    word = struct.unpack("=H", told[KTLS_I_EARLY])[0] if KTLS_I_EARLY in told else None
    return WORDS[word], told.get(KTLS_I_EARLY_DATA, b"")


def serve(port, most):
    server = listener(port)
    while True:
        sock = server.accept()[0]
        tls = Ktls(sock, "server", extra=attribute(KTLS_P_EARLY_MAX, struct.pack("=I", int(most))))
        expect(not tls.errno, "handshake: errno %d" % tls.errno)
        word, data = early(tls)
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
    tls = Ktls(sock, "client", extra=attribute(KTLS_P_EARLY_DATA, data), name=name, trust=trust)
    expect(not tls.errno, "handshake: errno %d, %s" % (tls.errno, tls.info()["reason"]))
    word = early(tls)[0]
    print("early", word, flush=True)
    if word != "accepted":
        sock.sendall(data)
    print("got", line(sock).decode().strip(), flush=True)
    sock.close()


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
