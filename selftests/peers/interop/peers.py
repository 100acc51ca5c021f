# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that we didn't write: how each is started as a server that answers
and as a client that says "hello", for a case of the table. A method gives a command,
or None for what the program does not have. PORT is replaced when it is known."""
import os
import shutil
import subprocess

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
GROUPS = ["x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048", "ffdhe3072"]
SUITES12 = ["TLS_%s_WITH_%s" % (kx, suite[4:]) for kx in ("ECDHE_ECDSA", "ECDHE_RSA", "DHE_RSA") for suite in SUITES]


class Case:
	"""One connection, or two if the second one resumes."""

	def __init__(self, suite, group, auth=False, resume=False):
		self.suite, self.group, self.auth, self.resume = suite, group, auth, resume
		self.exchange, _, cipher = suite[4:].rpartition("_WITH_")	# none in TLS 1.3
		self.version = "1.2" if self.exchange else "1.3"
		self.cipher = SUITES.index("TLS_" + cipher if self.exchange else suite)
		self.kind = "rsa" if "RSA" in self.exchange else "p256"
		self.finite = group.startswith("ffdhe")

	def names(self):
		"""The groups that the peer is to know: TLS 1.2 wants the one of the server's key too."""
		extra = self.exchange == "ECDHE_ECDSA" and self.group != "secp256r1"
		return [self.group] + (["secp256r1"] if extra else [])

	def pem(self):
		return self.kind + ".pem", self.kind + ".key"


class Peer:
	say, expect = "hello", "hello"	# of our client
	name = program = ""
	linger, silent_twice = 10, False
	groups = dict.fromkeys(GROUPS[:4])

	def __init__(self, dir):
		self.dir = dir

	def there(self):
		return shutil.which(self.program) is not None

	def has(self, case):
		return case.group in self.groups

	def wanted(self, case):
		"""The groups that our client offers it."""
		return case.names()

	def called(self, case):
		"""The groups of a case by the peer's names."""
		return [self.groups[name] or name for name in case.names()]

	def prepare(self):
		pass

	def said(self):
		return ""	# the version, for the table's foot

	def file(self, name):
		return os.path.join(self.dir, name)


def first_line(*command):
	try:
		done = subprocess.run(command, capture_output=True, text=True, timeout=60)
		return (done.stdout + done.stderr).strip().splitlines()[0]
	except (OSError, IndexError, subprocess.TimeoutExpired):
		return "?"


def openssl_name(case):
	"""ECDHE-RSA-AES128-GCM-SHA256"""
	cipher = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"][case.cipher]
	return case.exchange.replace("_", "-") + "-" + cipher


class OpenSSL(Peer):
	name, program, expect = "OpenSSL", "openssl", "olleh"
	groups = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521",
		  "x448": "X448", "ffdhe2048": "ffdhe2048", "ffdhe3072": "ffdhe3072"}

	def said(self):
		return first_line("openssl", "version")

	def has(self, case):
		# OpenSSL 3.0 has no names for finite fields in TLS 1.2: a field of its own as a server, any as a client.
		return super().has(case) and not (case.version == "1.2" and case.finite)

	def options(self, case):
		suite = ["-tls1_3", "-ciphersuites", case.suite] if case.version == "1.3" else ["-tls1_2", "-cipher", openssl_name(case)]
		return [*suite, "-groups", ":".join(self.called(case)), "-CAfile", "ca.pem"]

	def server(self, case):
		cert, key = case.pem()
		return ["openssl", "s_server", "-accept", "127.0.0.1:PORT", "-cert", cert, "-key", key, "-rev",
			*self.options(case), *(["-Verify", "1", "-verify_return_error"] if case.auth else [])]

	def client(self, case, again):
		session = ["-sess_in" if again else "-sess_out", "session.pem"] if case.resume else []
		return ["openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", "server.test", "-verify_return_error",
			*self.options(case), *session, *(["-cert", "p256.pem", "-key", "p256.key"] if case.auth else [])]


class GnuTLS(Peer):
	name, program = "GnuTLS", "gnutls-cli"
	groups = {"x25519": "X25519", "secp256r1": "SECP256R1", "secp384r1": "SECP384R1", "secp521r1": "SECP521R1",
		  "x448": "X448", "ffdhe2048": "FFDHE2048", "ffdhe3072": "FFDHE3072"}
	ciphers = ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"]
	twice = True	# its client resumes by itself

	def said(self):
		return first_line("gnutls-cli", "--version")

	def options(self, case):
		exchange = ":-KX-ALL:+" + case.exchange.replace("_", "-") if case.exchange else ""
		return ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS%s:-GROUP-ALL:+GROUP-%s:-CIPHER-ALL:+%s%s" %
			(case.version, ":+GROUP-".join(self.called(case)), self.ciphers[case.cipher], exchange),
			"--x509cafile", "ca.pem"]

	def server(self, case):
		cert, key = case.pem()
		return ["gnutls-serv", "--echo", "-p", "PORT", "--x509certfile", cert, "--x509keyfile", key,
			*self.options(case), *(["-r", "--verify-client-cert"] if case.auth else ["-a"])]

	def client(self, case, again):
		return ["gnutls-cli", "-p", "PORT", "--sni-hostname", "server.test", "--verify-hostname", "server.test",
			*self.options(case), *(["-r"] if case.resume else []),
			*(["--x509certfile", "p256.pem", "--x509keyfile", "p256.key"] if case.auth else []), "127.0.0.1"]


class NSS(Peer):
	name, program = "NSS", "tstclnt"
	groups = {"x25519": "x25519", "secp256r1": "P256", "secp384r1": "P384", "secp521r1": "P521",
		  "ffdhe2048": "FF2048", "ffdhe3072": "FF3072"}
	numbers = dict(zip(SUITES + SUITES12, [":1301", ":1302", ":1303", ":C02B", ":C02C", ":CCA9", ":C02F", ":C030", ":CCA8",
					       ":009E", ":009F", ":CCAA"]))
	say, expect = "GET / HTTP/1.0\r\n\r", "HTTP/1.0 200"
	linger = 0.1		# its client does not end with its input
	silent_twice = True	# and says nothing in the two connections of a resumption

	def said(self):
		return "NSS " + first_line("dpkg-query", "-W", "-f", "${Version}", "libnss3")

	def prepare(self):
		db = "sql:" + self.file("nss")
		os.makedirs(self.file("nss"), exist_ok=True)
		for command in (["certutil", "-N", "-d", db, "--empty-password"],
				["certutil", "-A", "-d", db, "-n", "ca", "-t", "CT,C,C", "-i", "ca.pem"]):
			subprocess.run(command, cwd=self.dir, check=True, capture_output=True)
		# One name for all certificates of one subject: so a database for each.
		shutil.copytree(self.file("nss"), self.file("nss-rsa"))
		for kind, folder in (("p256", "nss"), ("rsa", "nss-rsa")):
			for command in (["openssl", "pkcs12", "-export", "-inkey", kind + ".key", "-in", kind + ".pem", "-name",
					 "server.test", "-out", kind + ".p12", "-passout", "pass:secret"],
					["pk12util", "-i", kind + ".p12", "-d", "sql:" + self.file(folder), "-W", "secret"]):
				subprocess.run(command, cwd=self.dir, check=True, capture_output=True)

	def options(self, case, folder="nss"):
		version = "tls%s:tls%s" % (case.version, case.version)
		return ["-d", "sql:" + folder, "-V", version, "-I", ",".join(self.called(case)), "-c", self.numbers[case.suite]]

	def server(self, case):
		return ["selfserv", "-p", "PORT", "-n", "server.test", "-u", "-G",
			*self.options(case, "nss-rsa" if case.kind == "rsa" else "nss"),
			*(["-r", "-r"] if case.auth else [])]

	def client(self, case, again):
		certificate = ["-n", "server.test"] if case.auth else []
		if case.resume:
			version = "tls%s:tls%s" % (case.version, case.version)
			return ["strsclnt", "-p", "PORT", "-d", "sql:nss", "-c", "2", "-t", "1", "-V", version, "-u", "-o", "-C",
				self.numbers[case.suite], "-a", "server.test", *certificate, "127.0.0.1"]
		return ["tstclnt", "-h", "127.0.0.1", "-p", "PORT", "-a", "server.test", "-f", "-u", "-G", *self.options(case), *certificate]


class Own(Peer):
	"""Programs of this folder on a library: they share their arguments."""
	alone = True		# says hello by itself, twice if it is to resume
	between = ","

	def arguments(self, case, server):
		pem = server or case.auth
		pair = "cert=%s key=%s" % (case.pem() if server else ("p256.pem", "p256.key"))
		return ["PORT", "version=" + case.version, "suite=" + self.suite(case),
			"group=" + self.between.join(self.called(case)), "ca=ca.pem", *(pair.split() if pem else []),
			*(["auth=1"] if case.auth else []), *(["resume=1"] if case.resume else [])]

	def suite(self, case):
		return case.suite

	def server(self, case):
		return [*self.command(), "server", *self.arguments(case, True)]

	def client(self, case, again):
		return [*self.command(), "client", *self.arguments(case, False)]


here = os.path.dirname(os.path.abspath(__file__))


class Node(Own):
	name, program = "Node", "node"
	groups = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "x448": "X448"}

	between = ":"

	def has(self, case):
		return super().has(case) and not case.finite

	def suite(self, case):
		return openssl_name(case) if case.version == "1.2" else case.suite

	def said(self):
		return "Node " + first_line("node", "--version")

	def command(self):
		return ["node", os.path.join(here, "peer.js")]


class Go(Own):
	name, program = "Go", "go"

	def has(self, case):
		# crypto/tls does not let anybody choose among the suites of TLS 1.3, and has
		# extended_master_secret, without which there is no TLS 1.2 of ours, from Go 1.21 on.
		return super().has(case) and case.suite == SUITES[0]

	def said(self):
		return first_line("go", "version")

	def prepare(self):
		subprocess.run(["go", "build", "-o", self.file("go_peer"), os.path.join(here, "peer.go")], check=True,
			       env=dict(os.environ, GO111MODULE="off", GOCACHE=self.file("gocache"), HOME=self.dir))

	def command(self):
		return [self.file("go_peer")]


class Built(Own):
	"""Of those, the ones in C: source, library and header."""
	source = library = header = package = ""

	def there(self):
		return os.path.exists(self.header)

	def said(self):
		return self.name + " " + first_line("dpkg-query", "-W", "-f", "${Version}", self.package)

	def prepare(self):
		subprocess.run(["gcc", "-O1", "-o", self.file(self.program), os.path.join(here, self.source), *self.library.split()],
			       check=True)

	def command(self):
		return [self.file(self.program)]


class WolfSSL(Built):
	name, program, source, library = "wolfSSL", "wolf_peer", "wolf_peer.c", "-lwolfssl"
	header, package = "/usr/include/wolfssl/ssl.h", "libwolfssl-dev"
	groups = dict.fromkeys(["x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048"])

	def has(self, case):
		# In TLS 1.2 it has a field of its own as a server, and asks for no field by name.
		return super().has(case) and not (case.version == "1.2" and case.finite)

	def wanted(self, case):
		return [case.group]	# else its server takes another one

	def suite(self, case):
		if case.version == "1.2":
			return openssl_name(case)
		return "TLS13-" + ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305-SHA256"][case.cipher]


class MbedTLS(Built):
	name, program, source, library = "mbedTLS", "mbed_peer", "mbed_peer.c", "-lmbedtls -lmbedx509 -lmbedcrypto"
	header, package = "/usr/include/mbedtls/ssl.h", "libmbedtls-dev"
	groups = dict.fromkeys(["x25519", "secp256r1", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072"])

	def has(self, case):
		return case.version == "1.2" and super().has(case)

	def suite(self, case):
		return case.suite.replace("_", "-")


class Java(Own):
	name, program = "Java", "javac"
	groups = dict.fromkeys(GROUPS)

	def said(self):
		return first_line("java", "-version")

	def prepare(self):
		pkcs12 = [["openssl", "pkcs12", "-export", "-inkey", kind + ".key", "-in", kind + ".pem", "-out", kind + "-java.p12",
			   "-passout", "pass:secret"] for kind in ("p256", "rsa")]
		for command in (["javac", "-d", ".", os.path.join(here, "Peer.java")], *pkcs12,
				["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12",
				 "-storetype", "PKCS12", "-storepass", "secret"]):
			subprocess.run(command, cwd=self.dir, check=True, capture_output=True)

	def arguments(self, case, server):
		kept = [a for a in super().arguments(case, server) if a.split("=")[0] not in ("cert", "key", "ca")]
		return [*kept, "trust=trust.p12",
			*(["identity=%s-java.p12" % (case.kind if server else "p256")] if server or case.auth else [])]

	def command(self):
		return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", self.dir, "Peer"]


ALL = [OpenSSL, GnuTLS, NSS, MbedTLS, WolfSSL, Go, Node, Java]
