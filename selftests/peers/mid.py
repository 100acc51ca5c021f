#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mid.py client|server PORT write|sendfile FILE: a program that knows nothing of
TLS but the two setsockopts: sends FILE by write() or sendfile() in one thread
while another compares what read() gives with it. Any error fails.
"""
import os
import socket
import sys
import threading

from vm_peer import Ktls, connect, expect, listener

role, port, way, path = sys.argv[1:5]
if role == "client":
    sock = connect(port)
    wish = {"name": "example.org", "trust": "test"}
else:
    sock = listener(port).accept()[0]
    wish = {"identity": "rsa"}
sock.settimeout(None)
# So that writing lasts as long as the peer's updates do.
sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
tls = Ktls(sock, role, 240000, **wish)
expect(not tls.errno, f"handshake: {os.strerror(tls.errno)}: {tls.info()['reason']}" if tls.errno else "")
with open(path, "rb") as f:
    want = f.read()
failed = []


def send():
    try:
        with open(path, "rb") as f:
            at = 0
            while at < len(want):
                at += (os.sendfile(sock.fileno(), f.fileno(), at, 100000) if way == "sendfile"
                       else os.write(sock.fileno(), want[at:at + 30000]))
        sock.shutdown(socket.SHUT_WR)
    except OSError as e:
        failed.append(f"{way}: {e}")


sender = threading.Thread(target=send)
sender.start()
at = 0
while data := os.read(sock.fileno(), 50000):
    expect(want[at:at + len(data)] == data, f"wrong bytes after {at}")
    at += len(data)
sender.join()
expect(not failed, str(failed))
expect(at == len(want), f"{at} of {len(want)} bytes")
