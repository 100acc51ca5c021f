#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lengths.py PORT TO FILE: pass one TCP connection on from PORT of 127.0.0.1 to port TO,
and write to FILE of each protected record of TLS 1.3 who sent it (client, server) and how
long content, type and padding are together (all suites that we have end with 16 bytes of tag)."""

import socket
import sys
import threading

HEADER, TAG, PROTECTED = 5, 16, 23


def whole(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def pass_on(who, source, target, out):
    while header := whole(source, HEADER):
        body = whole(source, int.from_bytes(header[3:], "big"))
        if body is None:
            break
        if header[0] == PROTECTED:
            print(who, len(body) - TAG, file=out, flush=True)
        try:
            target.sendall(header + body)
        except OSError:
            break
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    client = listener.accept()[0]
    server = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    with open(sys.argv[3], "w", encoding="ascii") as out:
        back = threading.Thread(target=pass_on, args=("server", server, client, out))
        back.start()
        pass_on("client", client, server, out)
        back.join()


main()
