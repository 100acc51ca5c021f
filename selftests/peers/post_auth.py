#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Authentication after the handshake as a program without libktls has it: a
parameter of the handshake's setsockopt, KTLS_REQUEST_CERT, and what KTLS_INFO
says afterwards.

post_auth.py serve PORT IDENTITY	for each connection: read a line, ask, say what became
	of it, send that line back with it, read to the end
post_auth.py ask PORT NAME TRUST IDENTITY|- TEXT	write TEXT, read a line, say what was shown
"""
import errno
import socket
import struct
import sys

from vm_peer import SOL_TLS, Ktls, attribute, connect, expect, line, listener

KTLS_REQUEST_CERT = 104
KTLS_P_POST_AUTH = 11
KTLS_I_IDENTITY, KTLS_I_PEER_NAME, KTLS_I_POST_AUTH = 7, 8, 16
WORDS = {None: "never", 1: "possible", 2: "asked", 3: "shown", 4: "none"}


def handshake(sock, role, **wish):
    return Ktls(sock, role, extra=attribute(KTLS_P_POST_AUTH, b""), **wish)


def outcome(tls):
    """What became of it, and whose certificate it was."""
    told = tls.attributes()
    word = struct.unpack("=H", told[KTLS_I_POST_AUTH])[0] if KTLS_I_POST_AUTH in told else None
    return WORDS[word], {kind: value.split(b"\0")[0] for kind, value in told.items()}


def request(sock):
    """0 or an errno. What the client sends before its answer is read."""
    while True:
        try:
            sock.setsockopt(SOL_TLS, KTLS_REQUEST_CERT, struct.pack("=I", 0))
            return 0
        except OSError as e:
            if e.errno != errno.EBUSY:
                return e.errno
            print("before it:", line(sock).decode().strip(), flush=True)


def one(sock, identity):
    tls = handshake(sock, "server", identity=identity, trust="test")
    expect(not tls.errno, "handshake: errno %d, %s" % (tls.errno, tls.info()["reason"]))
    print("at first", outcome(tls)[0], flush=True)
    text = line(sock)
    err = request(sock)
    info = tls.info()
    if info["error"]:
        print("ended", errno.errorcode[info["error"]], info["from"], info["alert"], flush=True)
        return
    word, names = outcome(tls)
    word = {0: word, errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(err) or errno.errorcode[err]
    print("then", word, names.get(KTLS_I_PEER_NAME, b"").decode(), flush=True)
    sock.sendall(word.encode() + b" " + text)
    while sock.recv(1000):
        pass


def serve(port, identity):
    server = listener(port)
    while True:
        sock = server.accept()[0]
        sock.settimeout(None)
        try:
            one(sock, identity)
        except OSError as e:
            print("connection:", errno.errorcode[e.errno], flush=True)
        sock.close()


def ask(port, name, trust, identity, text):
    sock = connect(port)
    sock.settimeout(None)
    wish = {} if identity == "-" else {"identity": identity}
    tls = handshake(sock, "client", name=name, trust=trust, **wish)
    expect(not tls.errno, "handshake: errno %d, %s" % (tls.errno, tls.info()["reason"]))
    print("at first", outcome(tls)[0], flush=True)
    sock.sendall(text.encode() + b"\n")
    try:
        print("got", line(sock).decode().strip(), flush=True)
    except OSError as e:
        print("read:", errno.errorcode[e.errno], flush=True)
    word, names = outcome(tls)
    print("then", word, names.get(KTLS_I_IDENTITY, b"").decode(), flush=True)
    sock.close()


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
