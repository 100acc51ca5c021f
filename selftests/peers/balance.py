#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A balancer of TCP connections as stands before a fleet: each new one goes to
the next machine in turn. It knows nothing of TLS.

balance.py PORT ADDRESS:PORT...
"""
import asyncio
import itertools
import sys


async def pour(source, sink):
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
    except OSError:
        sink.transport.abort()


async def main(port, *machines):
    turn = itertools.cycle(m.rsplit(":", 1) for m in machines)

    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*next(turn))
        await asyncio.gather(pour(reader, far_writer), pour(far_reader, writer))
        far_writer.close()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", int(port))
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
