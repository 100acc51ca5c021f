#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py HS_ECHO|PORT [PATTERN]: what a server answers to clients that err, as TAP.
Each case has a connection of its own, to an hs-echo that is started, or to a
server whose page has "hello from"; a case that hangs fails by its time limit.
PATTERN chooses cases by a part of their name.
"""
import socket
import subprocess
import sys
import time

from cryptography.exceptions import InvalidTag

import cases12
import records13
from tls import Alert, Closed, Connection

OK = records13.OK


def start(program):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([program, "--port", str(port)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except ConnectionRefusedError:
            time.sleep(0.05)
    server.kill()
    sys.exit("run.py: hs-echo does not listen")


def outcome(function, port):
    c = Connection(port)
    try:
        page = function(c)
        if not page or b"hello from" not in page:
            return f"no page but {page!r}"
        wanted = getattr(c, "wants_resumed", None)
        if wanted is not None and wanted == (11 in c.seen):
            return "resumed" if not wanted else "not resumed"
        return OK
    except Alert as alert:
        return alert.args[0]
    except Closed:
        return "closed without alert"
    except (TimeoutError, socket.timeout):
        return "nothing for 20 seconds"
    except (AssertionError, InvalidTag, KeyError, OSError) as e:
        return f"{type(e).__name__}: {e}"
    finally:
        c.close()


def main():
    chosen = [c for c in records13.CASES if len(sys.argv) < 3 or sys.argv[2] in c[0]]
    server, port = (None, int(sys.argv[1])) if sys.argv[1].isdigit() else start(sys.argv[1])
    failed = 0
    print(f"1..{len(chosen)}")
    try:
        for n, (name, allowed, function) in enumerate(chosen, 1):
            got = outcome(function, port)
            good = got in allowed
            failed += not good
            print(f"{'ok' if good else 'not ok'} {n} - {name}: {got}", flush=True)
            if not good:
                print(f"# wanted {' or '.join(map(str, allowed))}")
        if server and server.poll() is not None:
            failed += 1
            print("# the server ended by itself")
    finally:
        if server:
            server.terminate()
            server.wait()
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
