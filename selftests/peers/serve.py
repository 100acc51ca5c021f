#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""serve.py PORT CA LARGE PIECE: clients of ktls-serve with OpenSSL, out of one process.

many requests at once, a reader that takes its time while others are served,
clients that go away in the middle. TAP without a plan: the caller counts.
"""
import hashlib
import os
import socket
import ssl
import struct
import sys

port, ca, large, piece = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)


def connect(window=None):
    s = socket.socket()
    if window:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    s.settimeout(120)
    s.connect(("127.0.0.1", port))
    return context.wrap_socket(s, server_hostname="localhost", suppress_ragged_eofs=False)


def get(name, fields=""):
    return f"GET /{name} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()


def answer(f):
    """The length that its head says; the body comes next."""
    status, length = f.readline(), None
    assert status.split()[1] in (b"200", b"206"), status
    while (line := f.readline().strip()):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return length


def whole(f, path):
    with open(path, "rb") as want:
        assert f.read(answer(f)) == want.read(), path


def pipelined():
    """All written before the first answer is read; every third is a file in the registered buffers."""
    names = [("piece", piece) if i % 3 == 0 else ("index.html", "www/index.html") for i in range(300)]
    with connect() as s:
        s.sendall(b"".join(get(name) for name, _ in names))
        f = s.makefile("rb")
        for _, path in names:
            whole(f, path)


def slow_reader():
    with connect(16384) as slow, connect() as quick:
        slow.sendall(get("large"))
        f = slow.makefile("rb", buffering=0)
        length, digest = answer(f), hashlib.sha256()
        for _ in range(5):
            digest.update(block := f.read(1000))
            length -= len(block)
            quick.sendall(get("piece"))
            whole(quick.makefile("rb"), piece)
        while length:
            digest.update(block := f.read(65536))
            length -= len(block)
    with open(large, "rb") as want:
        assert digest.digest() == hashlib.sha256(want.read()).digest()


def go_away():
    for i in range(12):
        s = connect(16384)
        s.sendall(get("large", f"Range: bytes={i * 1001}-\r\n"))
        if i % 3:
            s.recv(1000 * i)
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(s.detach())
    with connect() as s:
        s.sendall(get("piece"))
        whole(s.makefile("rb"), piece)


failed = False
for name, test in (("300 requests at once", pipelined), ("a slow reader holds up nobody", slow_reader),
                   ("clients that go away in the middle", go_away)):
    try:
        test()
        print(f"ok - {name}")
    except Exception as e:  # one failed test, the others go on
        failed = True
        print(f"not ok - {name}\n# {e!r:.300}")
sys.exit(failed)
