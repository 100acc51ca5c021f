#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pipe.py HS-PIPE: what a harness from outside gets of the agent through hs-pipe: every key of
ktlsd.conf by --config and --set, the exit status, the alert. Between two hs-pipes on a socket
pair, and with OpenSSL at the other end. TAP; exit 1 if anything failed."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.realpath(__file__))
pipe = os.path.realpath(sys.argv[1])
folder = tempfile.mkdtemp()
subprocess.run([os.path.join(here, "../unit/pki.sh"), folder], check=True, stdout=subprocess.DEVNULL)
os.chdir(folder)
results = {True: 0, False: 0}

IDENTITY = [f"identity www.certificate={folder}/p256.pem", f"identity www.key={folder}/p256.key", "identity www.allow=everyone"]
TRUST = [f"trust test.file={folder}/ca.pem"]


def ok(good, name, said=""):
    results[good] += 1
    print("ok" if good else "not ok", sum(results.values()), "-", name, flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in said.splitlines()), end="")


def sets(lines):
    return [word for line in lines for word in ("--set", line)]


def start(sock, args):
    return subprocess.Popen([pipe, "--fd", str(sock.fileno())] + args, pass_fds=[sock.fileno()],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end(process):
    said = process.communicate(timeout=60)[0].decode(errors="replace")
    return process.returncode, said


def pair(server, client):
    """Exit status and words of both."""
    one, other = socket.socketpair()
    s = start(one, ["--server"] + server)
    c = start(other, client)
    one.close()
    other.close()
    return end(s) + end(c)


# Settings of the agent: name, lines of the server, lines of the client, what has to be said by one of them
# (@S, @C), and the exit status of both; other options behind --.
CLIENT = ["--name", "server.test", "--trust", "test"]
CASES = [
    ("defaults", [], [], r"@C done suite TLS_AES_128_GCM_SHA256 group x25519mlkem768 .*verified 1", (0, 0)),
    ("ciphers", ["ciphers=chacha20-poly1305"], [], r"@S done suite TLS_CHACHA20", (0, 0)),
    ("ciphers: none in common", ["ciphers=chacha20-poly1305"], ["ciphers=aes-128-gcm"], r"@S sent alert 40", (1, 1)),
    ("the peer's alert", ["ciphers=chacha20-poly1305"], ["ciphers=aes-128-gcm"], r"@C received alert 40", (1, 1)),
    ("groups", ["groups=secp384r1"], ["groups=x25519 secp384r1"], r"@C group secp384r1 .*retried 1", (0, 0)),
    ("schemes", [], ["schemes=ed25519"], r"@S sent alert 40", (1, 1)),
    ("max-version", ["max-version=1.2"], [], r"@C done suite TLS_ECDHE_ECDSA", (0, 0)),
    ("min-version", ["min-version=1.3"], ["max-version=1.2"], r"@S sent alert 70", (1, 1)),
    ("profile", ["profile=cnsa"], [], r"@S done suite TLS_AES_256_GCM_SHA384 group secp384r1|@S sent alert 40", None),
    ("prefer", ["prefer=strength"], [], r"@S done suite TLS_AES_256_GCM_SHA384", (0, 0)),
    ("rsa-min-bits", ["identity rsa.allow=everyone", f"identity rsa.certificate={folder}/rsa.pem", f"identity rsa.key={folder}/rsa.key",
                      "identity www.alpn=nothing"], ["rsa-min-bits=4096"], r"@C sent alert (42|43|71)", (1, 1)),
    ("tickets", ["tickets=1"], [], r"@C ticket of \d+ bytes for 7200", (0, 0)),
    ("tickets: none", ["tickets=0"], [], r"@C !ticket of", (0, 0)),
    ("ticket-lifetime", ["ticket-lifetime=61"], [], r"@C ticket of \d+ bytes for 61 ", (0, 0)),
    ("client-tickets", [], ["client-tickets=0"], r"@C done", (0, 0)),
    ("retry-cookie", ["retry-cookie=yes", "groups=secp384r1"], [], r"@S retried 1", (0, 0)),
    ("certificate-compression", ["certificate-compression=yes"], ["certificate-compression=yes"], r"@C verified 1", (0, 0)),
    ("padding", ["padding=512"], ["padding=700"], r"@S done", (0, 0)),
    ("fips", ["fips=yes"], ["groups=secp256r1"], r"@S done suite TLS_AES_128_GCM_SHA256 group secp256r1", (0, 0)),
    ("psk", ["psk k.key=@/psk", "psk k.allow=everyone"], ["psk k.key=@/psk", "psk k.allow=everyone"], r"@C psk k ", (0, 0),
     ["--psk", "*"], ["--psk", "k"]),
    ("psk: hash, identity, import", ["psk k.key=@/psk", "psk k.allow=everyone", "psk k.identity=me", "psk k.import=yes", "psk k.hash=sha384"],
     ["psk k.key=@/psk", "psk k.allow=everyone", "psk k.identity=me", "psk k.import=yes", "psk k.hash=sha384"], r"@C psk me ", (0, 0),
     ["--psk", "k"], ["--psk", "k"]),
    ("tls12-psk", ["psk k.key=@/psk", "psk k.allow=everyone", "tls12-psk=ecdhe", "max-version=1.2"],
     ["psk k.key=@/psk", "psk k.allow=everyone", "tls12-psk=ecdhe"], r"@S suite TLS_ECDHE_PSK", (0, 0), ["--psk", "k"], ["--psk", "k"]),
    ("key-log", ["key-log=@/keys"], [], r"@S done", (0, 0)),
    ("identity: allow", ["identity www.allow=uid:4242"], [], r"@S sent alert 80", (1, 1)),
    ("identity: alpn", ["identity www.alpn=h2"], [], r"@C alpn \[h2\]", (0, 0), ["--alpn", "h2"], ["--alpn", "h2"]),
    ("identity: default", ["identity www.default=yes"], [], r"@S done", (0, 0)),
    ("identity: raw-key, trust: raw-key", ["identity www.raw-key=yes"], ["trust bare.raw-key=PIN"], r"@C done .*verified 1", (0, 0), [],
     ["--trust", "bare"]),
    ("identities", ["identities all.certificate=@/*/cert.pem", "identities all.key=@/*/key.pem", "identities all.allow=everyone",
                    "identity www.alpn=nothing"], [], r"@S identity=all/server.test", (0, 0)),
    ("identities: passphrase-file", ["identities all.certificate=@/*/cert.pem", "identities all.key=@/*/sealed.pem", "identities all.allow=everyone",
                                     "identities all.passphrase-file=@/phrase", "identity www.alpn=nothing"], [], r"@S identity=all/server.test", (0, 0)),
    ("trust: ct-log, ct-required", ["identity www.certificate=@/inside.pem", "identity www.key=@/inside.key"],
     ["trust test.ct-log=@/p256.pub", "trust test.ct-required=1"], r"@C done .*verified 1", (0, 0)),
    ("trust: ct-log: not seen", [], ["trust test.ct-log=@/p256.pub"], r"@C sent alert 42", (1, 1)),
    ("trust", [], [f"trust other.file={folder}/other.pem"], r"@C sent alert 48", (1, 1), [], ["--trust", "other"]),
    ("trust: ocsp-required", [], ["trust test.ocsp-required=yes"], r"@C sent alert 113", (1, 1)),
    ("client: allow", [], ["client.allow=uid:4242"], r"@C failed at .*uid", (1, 1)),
    ("client certificate", TRUST, ["identity me.certificate=@/p384.pem", "identity me.key=@/p384.key", "identity me.allow=everyone"],
     r"@S peer [12] verified 1", (0, 0), ["--trust", "test", "--require"], ["--identity", "me"]),
    ("client certificate: none", TRUST, [], r"@S sent alert 116", (1, 2), ["--trust", "test", "--require"], []),
    ("log", ["log=error"], [], r"@S !result=ok", (0, 0)),
    ("early-data", ["early-data=1000"], ["early-data=1000"], r"@S done", (0, 0), ["--max-early", "900"], []),
]


def expand(lines):
    return sets(line.replace("@", folder).replace("PIN", pin) for line in lines)


def said_by(want, server, client):
    """@S or @C at the beginning of an alternative: who has to say it; ! in front: must not."""
    for one in want.split("|@"):
        one = one.lstrip("@")
        text, pattern = (server if one[0] == "S" else client), one[2:]
        if pattern.startswith("!"):
            if not re.search(pattern[1:], text):
                return True
        elif re.search(pattern, text):
            return True
    return False


def settings():
    for name, server, client, want, status, *more in CASES:
        server_more, client_more = more or ([], [])
        mine = [line for line in IDENTITY if not any(s.startswith(line.split("=")[0] + "=") for s in server)]
        s, s_said, c, c_said = pair(expand(mine + server) + server_more, expand(TRUST + client) + CLIENT + client_more)
        ok(said_by(want, s_said, c_said) and (status is None or (s, c) == status), f"--set: {name}", f"exit {s} {c}\n{s_said}{c_said}")
    with open("keys", encoding="ascii") as keys:
        ok("SERVER_TRAFFIC_SECRET_0" in keys.read(), "--set: key-log: the secrets are there")


def files():
    with open("agent.conf", "w", encoding="ascii") as f:
        f.write(f"[agent]\nticket-secret = {folder}/secret\nearly-data = 500\n[identity www]\ncertificate = {folder}/p256.pem\n"
                f"key = {folder}/p256.key\nallow = everyone\n[trust test]\nfile = {folder}/ca.pem\n")
    with open("secret", "w", encoding="ascii") as f:
        f.write("00112233445566778899aabbccddeeff" * 2 + "\n")
    config = ["--config", "agent.conf"]
    s, s_said, c, c_said = pair(config, config + CLIENT + ["--ticket-out", "ticket"])
    ok((s, c) == (0, 0) and os.path.exists("ticket"), "--config: a ticket", s_said + c_said)
    s, s_said, c, c_said = pair(config, config + CLIENT + ["--ticket-in", "ticket"])
    ok((s, c) == (0, 0) and "resumed 1" in s_said, "--config: resumed by another process with the same secret", s_said + c_said)
    s, s_said, c, c_said = pair(config + ["--set", "tickets=0"], config + CLIENT)
    ok((s, c) == (0, 0) and "ticket of" not in c_said, "--config and --set", s_said + c_said)
    for line, word in (("colour=red", "no key"), ("tickets=x", "out of range"), ("identity.key=/x", "no section")):
        done = subprocess.run([pipe, "--server", "--set", line], capture_output=True, text=True, check=False)
        ok(done.returncode == 64 and word in done.stderr, f"--set {line} is refused, exit status 64", done.stderr)
    done = subprocess.run([pipe, "--explain"] + config + sets(["padding=64"]), capture_output=True, text=True, check=False)
    ok(done.returncode == 0 and "name=padding value=64" in done.stdout, "--explain", done.stdout + done.stderr)


def with_openssl():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "server.test", "-CAfile", "ca.pem",
                               "-verify_return_error", "-quiet", "-no_ign_eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    sock = listener.accept()[0]
    server = start(sock, ["--server"] + expand(IDENTITY + ["padding=300"]))
    sock.close()
    client.stdin.write(b"hello\n")
    client.stdin.flush()
    answer = client.stdout.readline()
    client.stdin.close()
    client.wait(timeout=30)
    status, said = end(server)
    ok(answer == b"hello\n" and status == 0, "server, s_client", said)


def echo_remembers():
    """Early data that come twice, to two processes of hs-echo: the second time they are refused."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    echo = subprocess.Popen([os.path.join(os.path.dirname(pipe), "hs-echo"), "--port", str(port), "--max-early", "400"] +
                            expand(IDENTITY + ["early-data=500"]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "server.test", "-ign_eof"]
    with open("early", "w", encoding="ascii") as f:
        f.write("GET / HTTP/1.0\r\n\r\n")
    until = time.monotonic() + 60
    while subprocess.run(client + ["-sess_out", "session"], stdin=open("early", "rb"), capture_output=True, check=False,
                         timeout=60).returncode and time.monotonic() < until:
        time.sleep(0.1)
    words = []
    for _ in range(2):
        done = subprocess.run(client + ["-sess_in", "session", "-early_data", "early"], stdin=open("early", "rb"), capture_output=True,
                              check=False, timeout=60)
        words += re.findall(rb"Early data was \w+", done.stdout)
    echo.terminate()
    said = echo.communicate()[0].decode()
    ok(words == [b"Early data was accepted", b"Early data was rejected"], "hs-echo: one register for all its processes", f"{words}\n{said}")


os.makedirs("server.test")
shutil.copy("p256.pem", "server.test/cert.pem")
shutil.copy("p256.key", "server.test/key.pem")
with open("psk", "w", encoding="ascii") as f:
    f.write("000102030405060708090a0b0c0d0e0f\n")
key = subprocess.run("openssl x509 -in p256.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum", shell=True,
                     capture_output=True, text=True, check=True)
pin = key.stdout.split()[0]
with open("phrase", "w", encoding="ascii") as f:
    f.write("open sesame\n")
subprocess.run("openssl pkcs8 -topk8 -v2 aes-256-cbc -in p256.key -out server.test/sealed.pem -passout file:phrase && "
               f"openssl pkey -in p256.key -pubout -out p256.pub && {here}/sct_embedded.py p256.key ca.pem ca.key inside", shell=True, check=True)
settings()
files()
with_openssl()
echo_remembers()
shutil.rmtree(folder)
print(f"1..{sum(results.values())}")
sys.exit(results[False] != 0)
