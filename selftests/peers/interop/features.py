# SPDX-License-Identifier: GPL-2.0-or-later
"""What TLS 1.3 has beside the table, each with a peer that has it too: a row is a name, the
peer, our role, and a function that runs it and returns (ok, log)."""
import hashlib
import re
import shutil
import subprocess

rows = []


def feature(what, peer, role, program):
	def add(f):
		rows.append((what, peer, role, program, f))
		return f
	return add


def us(w, *options):
	return [w.peer, "-h", "127.0.0.1", "-p", "PORT", "-n", "server.test", "-A", "ca.pem", *options]


def serve(w, *options):
	w.start([w.peer, "-s", "-p", "PORT", "-c", "p256.pem", "-k", "p256.key", *options])


def s_client(*options):
	return ["openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", "server.test", "-CAfile", "ca.pem",
		"-verify_return_error", *options]


def s_server(w, *options):
	w.start(["openssl", "s_server", "-accept", "127.0.0.1:PORT", "-cert", "p256.pem", "-key", "p256.key", "-tls1_3",
		 *options])


def end(w, text, *wanted):
	"""All of @wanted in what client and server said."""
	for one in wanted:
		if not re.search(one, text, re.M):
			w.wait_server(one)
	said = text + w.server_text()
	w.stop()
	return all_of(said, wanted), said


def all_of(text, wanted):
	return all(re.search(one, text, re.M) for one in wanted)


@feature("a cookie in HelloRetryRequest", "OpenSSL", "server", "openssl")
def _(w):
	serve(w, "-C", "-g", "23")
	return end(w, w.run(s_client("-groups", "X25519:P-256", "-msg"), "hello\n"), "^hello", "retried 1")


@feature("a cookie in HelloRetryRequest", "GnuTLS", "server", "gnutls-cli")
def _(w):
	serve(w, "-C", "-g", "23")
	return end(w, w.run(["gnutls-cli", "-p", "PORT", "--x509cafile", "ca.pem", "--sni-hostname", "server.test",
			     "--verify-hostname", "server.test", "--single-key-share", "--priority",
			     "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1", "127.0.0.1"], "hello\n"),
		   "^hello", "retried 1")


@feature("GREASE, ECH GREASE, padding", "OpenSSL", "client", "openssl")
def _(w):
	s_server(w, "-rev")
	return end(w, w.run(us(w, "-x", "olleh", "-G", "-D", "1700", "-a", "http/1.1")), "verified 1")


@feature("GREASE, ECH GREASE, padding", "GnuTLS", "client", "gnutls-serv")
def _(w):
	w.start(["gnutls-serv", "--echo", "-p", "PORT", "--x509certfile", "p256.pem", "--x509keyfile", "p256.key"])
	return end(w, w.run(us(w, "-G", "-D", "1700")), "verified 1")


@feature("max_fragment_length", "OpenSSL", "server", "openssl")
def _(w):
	serve(w)
	return end(w, w.run(s_client("-maxfraglen", "512"), "hello\n"), "^hello", "limit 512")


@feature("max_fragment_length", "OpenSSL", "client", "openssl")
def _(w):
	s_server(w, "-rev")
	return end(w, w.run(us(w, "-x", "olleh", "-F", "1024")), "limit 1024")


@feature("certificate_authorities in CertificateRequest", "OpenSSL", "server", "openssl")
def _(w):
	serve(w, "-A", "ca.pem", "-R")
	return end(w, w.run(s_client("-cert", "p256.pem", "-key", "p256.key"), "hello\n"),
		   "Acceptable client certificate CA names\nCN = ktls test CA", "^hello")


def bare_key(w, name):
	"""A file of the public key, and its digest."""
	subprocess.run("openssl pkey -in %s.key -pubout -out %s.pub" % (name, name), shell=True, cwd=w.dir, check=True)
	der = subprocess.run("openssl pkey -in %s.key -pubout -outform DER" % name, shell=True, cwd=w.dir, check=True,
			     capture_output=True).stdout
	return name + ".pub", hashlib.sha256(der).hexdigest()


RAW = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"


@feature("raw public keys on both sides", "GnuTLS", "client", "gnutls-serv")
def _(w):
	theirs, digest = bare_key(w, "p256")
	w.start(["gnutls-serv", "--echo", "-p", "PORT", "--rawpkfile", theirs, "--rawpkkeyfile", "p256.key", "-r", "-d", "4",
		 "--priority", RAW])
	return end(w, w.run([w.peer, "-h", "127.0.0.1", "-p", "PORT", "-n", "server.test", "-W", digest, "-K", "-c", "p384.pem",
			     "-k", "p384.key"]), "^done.*peer 0 verified 1", "Raw Public Key")


@feature("raw public keys on both sides", "GnuTLS", "server", "gnutls-cli")
def _(w):
	theirs, digest = bare_key(w, "p256")
	w.start([w.peer, "-s", "-p", "PORT", "-c", "p384.pem", "-k", "p384.key", "-K", "-W", digest, "-R"])
	return end(w, w.run(["gnutls-cli", "-p", "PORT", "--insecure", "--rawpkfile", theirs, "--rawpkkeyfile", "p256.key",
			     "--priority", RAW, "127.0.0.1"], "hello\n"), "^hello", "^done.*peer 0 verified 1")


def run_all(run, seen):
	for what, peer, role, program, f in rows:
		name = "%s, we are the %s, %s" % (peer, role, what)
		if not shutil.which(program):
			run.tell("skipped", name, program + " is not installed")
			seen.append((what, peer, role, "skip"))
			continue
		ok, log = f(run.world)
		run.tell("passed" if ok else "failed", name, log=log)
		seen.append((what, peer, role, "yes" if ok else "NO"))
