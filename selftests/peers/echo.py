#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Python's ssl as a peer: echo.py serve PORT CHAIN KEY [CURVE [1.2]] | echo.py connect PORT NAME CA [1.2]
import socket, ssl, sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

def serve(port, chain, key, curve=None, version="1.3"):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.maximum_version = VERSIONS[version]
    ctx.load_cert_chain(chain, key)
    if curve:
        ctx.set_ecdh_curve(curve)
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        sock, _ = listener.accept()
        try:
            with ctx.wrap_socket(sock, server_side=True) as tls:
                while data := tls.recv(65536):
                    tls.sendall(data)
        except OSError as e:
            print(e, file=sys.stderr)

def connect(port, name, ca, version="1.3"):
    ctx = ssl.create_default_context(cafile=ca)
    ctx.minimum_version = ctx.maximum_version = VERSIONS[version]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as sock:
        with ctx.wrap_socket(sock, server_hostname=name) as tls:
            tls.sendall(b"hello\n")
            print(tls.recv(100).decode(), tls.version(), tls.cipher()[0])

{"serve": serve, "connect": connect}[sys.argv[1]](*sys.argv[2:])
