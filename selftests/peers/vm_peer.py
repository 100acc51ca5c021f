#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The peer with faults: Python's ssl as client and server for the tests in a
guest, and the ways a peer misbehaves. And a program that uses ktls as any
other may: two setsockopts (class Ktls).

vm_peer.py WHAT ARGUMENTS...; see the functions at the end. Exit status 0 if
all went as it should, else a line on standard error says what did not.
"""
import errno
import os
import socket
import struct
import sys
import time

if sys.argv[1:2] != ["ask"]:  # it is half of the start-up time
    import ssl

SOL_TCP, TCP_ULP, SOL_TLS = 6, 31, 282
KTLS_HANDSHAKE, KTLS_INFO = 100, 101
PARAMS = {"name": 1, "alpn": 2, "identity": 3, "trust": 4, "ciphers": 7, "psk": 8}
CIPHERS = {"AES-128-GCM": 51, "AES-256-GCM": 52, "CHACHA20-POLY1305": 54}
ALERT_FROM = ["none", "local", "peer"]


def attribute(kind, data):
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)


class Ktls:
    """A connected socket with TLS on it, by the two setsockopts."""

    def __init__(self, sock, role, timeout_ms=0, extra=b"", **wish):
        self.sock, self.errno = sock, 0
        ask = struct.pack("=BBHI", {"client": 0, "server": 1}[role], 0, 0, timeout_ms)
        for key, value in wish.items():
            if key == "ciphers":
                data = b"".join(struct.pack("=H", CIPHERS[c]) for c in value)
            else:
                data = value.encode() + b"\0"
            ask += attribute(PARAMS[key], data)
        ask += extra  # attributes that PARAMS lacks
        try:
            sock.setsockopt(SOL_TCP, TCP_ULP, b"ktls")
            sock.setsockopt(SOL_TLS, KTLS_HANDSHAKE, ask)
        except OSError as e:
            self.errno = e.errno

    def info(self):
        raw, attributes = self._info()
        phase, role, alert, source, error, version, cipher, size = struct.unpack_from("=BBBBiHHI", raw)
        return {"phase": phase, "alert": alert, "from": ALERT_FROM[source],
                "error": -error, "version": version, "cipher": cipher,
                "reason": attributes.get(1, b"").split(b"\0")[0].decode()}

    def attributes(self):
        """KTLS_I_* to its bytes."""
        return self._info()[1]

    def _info(self):
        raw, found = self.sock.getsockopt(SOL_TLS, KTLS_INFO, 1024), {}  # Python allows no more
        at = struct.calcsize("=BBBBiHHIQIIQQQQ")
        while at + 4 <= len(raw):
            length, kind = struct.unpack_from("=HH", raw, at)
            if length < 4:
                break
            found[kind] = raw[at + 4:at + length]
            at += length + -length % 4
        return raw, found


def line(sock):
    """To its end, or what came before the peer's."""
    data = b""
    while not data.endswith(b"\n"):
        more = sock.recv(1000)
        if not more:
            break
        data += more
    return data


def connect(port):
    return socket.create_connection(("127.0.0.1", int(port)), timeout=60)


def trusting(ca):
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def tls(port, ca):
    return trusting(ca).wrap_socket(connect(port), server_hostname="example.org")


def serving(chain, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(chain, key)
    context.num_tickets = 2
    return context


def listener(port):
    sock = socket.create_server(("127.0.0.1", int(port)), backlog=64)
    sock.settimeout(120)
    return sock


def expect(good, what):
    if not good:
        sys.exit("vm_peer: " + what)


def request(path, close=True):
    return "GET {} HTTP/1.1\r\nHost: example.org\r\n{}\r\n".format(
        path, "Connection: close\r\n" if close else "").encode()


def read_answer(s, size):
    """The body of one answer, of a known size."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        expect(more, "the connection ended within the header")
        data += more
    body = bytearray(data.split(b"\r\n\r\n", 1)[1])
    while len(body) < size:
        more = s.recv(1 << 18)
        expect(more, "the connection ended after %d of %d bytes" % (len(body), size))
        body += more
    return bytes(body)


def content(path):
    with open(path, "rb") as f:
        return f.read()


# ---- clients of a ktls server

def fetch(port, ca, path, local):
    """Python's ssl fetches a file and compares it with the local one."""
    with tls(port, ca) as s:
        s.sendall(request(path))
        want = content(local)
        expect(read_answer(s, len(want)) == want, "the file differs")
        print(s.cipher())


def bytewise(port, ca, path, local):
    """The same with a request of one-byte records."""
    with tls(port, ca) as s:
        s.setsockopt(SOL_TCP, socket.TCP_NODELAY, 1)
        for byte in request(path):
            expect(s.send(bytes([byte])) == 1, "short write")
        want = content(local)
        expect(read_answer(s, len(want)) == want, "the file differs")


def die(port, ca, path):
    """Take a little of a large answer and vanish with a reset."""
    s = tls(port, ca)
    s.sendall(request(path))
    expect(len(s.recv(16384)) > 0, "no answer")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os._exit(0)


def garbage_first(port):
    """Bytes that are no TLS get an alert or the end, nothing else."""
    for data in (b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096), b"\x16\x03\x01\xff\xff" + bytes(5000),
                 b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", b"\x17\x03\x03\x00\x10" + bytes(16)):
        s = connect(port)
        s.settimeout(8)
        s.sendall(data)
        try:
            answer = s.recv(4096)
        except ConnectionResetError:
            answer = b""
        except socket.timeout:
            expect(False, "no answer to %r" % data[:16])
        expect(not answer or answer[0] == 21, "answer %r to %r" % (answer[:16], data[:16]))


def garbage_later(port, ca):
    """A record that nobody sealed, after the handshake: bad_record_mac."""
    s = tls(port, ca)
    raw = socket.socket(fileno=os.dup(s.fileno()))
    raw.settimeout(20)
    raw.sendall(b"\x17\x03\x03\x00\x40" + os.urandom(64))
    s.settimeout(20)
    try:
        while s.recv(4096):
            pass
        expect(False, "the end without an alert")
    except ssl.SSLError as e:
        expect("BAD_RECORD_MAC" in str(e).upper(), "alert: %s" % e)


def silent(port, ca, path, local):
    """40 peers that say nothing delay nobody, and are let go after a while."""
    quiet = [connect(port) for _ in range(40)]
    began = time.monotonic()
    fetch(port, ca, path, local)
    expect(time.monotonic() - began < 8, "served after %.1f s only" % (time.monotonic() - began))
    for s in quiet:
        s.settimeout(40)
        try:
            while s.recv(100):
                pass
        except ConnectionResetError:
            pass


def slow(port, ca, path, local, count, go):
    """Many sessions at once that read a little at a time, until a file named
    go is there; the bytes so far stand in ./progress."""
    want = content(local)
    sessions = [[tls(port, ca), bytearray()] for _ in range(int(count))]
    for s, _ in sessions:
        s.sendall(request(path))
    while any(s for s, _ in sessions):
        hurry = os.path.exists(go)
        for entry in sessions:
            s, got = entry
            more = s and s.recv(1 << 18 if hurry else 4096)
            if s and not more:
                s.close()
                entry[0] = None
            got += more or b""
        with open("progress", "w") as f:
            print(sum(len(got) for _, got in sessions), file=f)
        time.sleep(0 if hurry else 0.2)
    for i, (_, got) in enumerate(sessions):
        body = bytes(got).split(b"\r\n\r\n", 1)[1]
        expect(body == want, "session %d: %d of %d bytes, or others" % (i, len(body), len(want)))


# ---- servers for a ktls client

def serve_file(port, chain, key, path):
    """Python's ssl sends a file to each who asks, for ever."""
    context, sock, data = serving(chain, key), listener(port), content(path)
    while True:
        s, _ = sock.accept()
        try:
            with context.wrap_socket(s, server_side=True) as c:
                c.recv(4096)
                c.sendall(data)
                c.unwrap()
        except (ssl.SSLError, OSError) as e:
            print(repr(e), flush=True)


def echo(port, chain, key):
    """Python's ssl gives back what it gets, then says close_notify."""
    context, sock = serving(chain, key), listener(port)
    while True:
        s, _ = sock.accept()
        try:
            with context.wrap_socket(s, server_side=True) as c:
                while data := c.recv(65536):
                    c.sendall(data)
                c.unwrap()
        except (ssl.SSLError, OSError) as e:
            print(repr(e), flush=True)


def truncate(port, chain, key, size):
    """Send some bytes, then FIN without close_notify."""
    context, sock = serving(chain, key), listener(port)
    while True:
        s, _ = sock.accept()
        try:
            c = context.wrap_socket(s, server_side=True)
            c.recv(4096)
            c.sendall(bytes(int(size)))
            socket.socket(fileno=c.detach()).close()
        except (ssl.SSLError, OSError) as e:
            print(repr(e), flush=True)


# ---- ktls itself

def drops(port):
    """1-byte writes and reads through a ktls socket to an echo server."""

    s = connect(port)
    s.settimeout(None)
    k = Ktls(s, "client", name="example.org", trust="test")
    expect(k.errno == 0, "handshake: %s: %s" % (os.strerror(k.errno), k.info()["reason"] if k.errno else ""))
    k.sock.setsockopt(SOL_TCP, socket.TCP_NODELAY, 1)
    data = os.urandom(500)
    for byte in data:
        expect(k.sock.send(bytes([byte])) == 1, "short write")
    back = b""
    while len(back) < len(data):
        more = k.sock.recv(1)
        expect(more, "the end after %d bytes" % len(back))
        back += more
    expect(back == data, "the echo differs")


def ask(role, port, *wish):
    """One handshake: print "errno alert from sentence". WISH: KEY=VALUE."""
    options, timeout = {}, 0
    for w in wish:
        key, value = w.split("=", 1)
        if key == "timeout":
            timeout = int(value)
        elif key == "uid":
            os.setgroups([])
            os.setgid(int(value))
            os.setuid(int(value))
        else:
            options[key] = value.split(",") if key == "ciphers" else value
    if role == "server":
        sock = listener(port)
        print("listening", file=sys.stderr, flush=True)
        s, _ = sock.accept()
    else:
        s = connect(port)
    s.settimeout(None)
    k = Ktls(s, role, timeout, **options)
    name = errno.errorcode.get(k.errno, "0") if k.errno else "0"
    info = k.info()
    print(name, info["alert"], info["from"], info["reason"], flush=True)
    # Nothing may leave in clear text, and nothing may come in, once it failed.
    if k.errno:
        for act in (lambda: s.send(b"PLAIN"), lambda: expect(not s.recv(100), "read after a failure")):
            try:
                act()
            except OSError:
                continue


def answer(port, *wish):
    """A server of ktls: says to each what it said, up to a line's end."""
    sock, options = listener(port), dict(w.split("=", 1) for w in wish)
    while True:
        s, _ = sock.accept()
        s.settimeout(None)
        k = Ktls(s, "server", **options)
        if k.errno:
            print(k.info()["reason"], flush=True)
            continue
        got = b""
        while not got.endswith(b"\n") and (more := s.recv(1000)):
            got += more
        s.sendall(b"you said " + got)
        s.shutdown(socket.SHUT_WR)
        while s.recv(1000):
            pass
        s.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
