# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that we didn't write: how each is started as a server that answers
and as a client that says "hello", for a case of the table. A method gives a command,
or None for what the program does not have. PORT is replaced when it is known."""
import os
import shutil
import subprocess

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
GROUPS = ["x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048", "ffdhe3072"]


class Case:
	"""One connection, or two if the second one resumes."""

	def __init__(self, suite, group, auth=False, resume=False, kind="p256"):
		self.version, self.suite, self.group = "1.3", suite, group
		self.auth, self.resume, self.kind = auth, resume, kind


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


class OpenSSL(Peer):
	name, program, expect = "OpenSSL", "openssl", "olleh"
	groups = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521",
		  "x448": "X448", "ffdhe2048": "ffdhe2048", "ffdhe3072": "ffdhe3072"}

	def said(self):
		return first_line("openssl", "version")

	def options(self, case):
		return ["-tls1_3", "-ciphersuites", case.suite, "-groups", self.groups[case.group], "-CAfile", "ca.pem"]

	def server(self, case):
		return ["openssl", "s_server", "-accept", "127.0.0.1:PORT", "-cert", "p256.pem", "-key", "p256.key", "-rev",
			*self.options(case), *(["-Verify", "1", "-verify_return_error"] if case.auth else [])]

	def client(self, case, again):
		session = ["-sess_in" if again else "-sess_out", "session.pem"] if case.resume else []
		return ["openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", "server.test", "-verify_return_error",
			*self.options(case), *session, *(["-cert", "p256.pem", "-key", "p256.key"] if case.auth else [])]


class GnuTLS(Peer):
	name, program = "GnuTLS", "gnutls-cli"
	groups = {"x25519": "X25519", "secp256r1": "SECP256R1", "secp384r1": "SECP384R1", "secp521r1": "SECP521R1",
		  "x448": "X448", "ffdhe2048": "FFDHE2048", "ffdhe3072": "FFDHE3072"}
	ciphers = dict(zip(SUITES, ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"]))
	twice = True	# its client resumes by itself

	def said(self):
		return first_line("gnutls-cli", "--version")

	def options(self, case):
		return ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-%s:-CIPHER-ALL:+%s" %
			(self.groups[case.group], self.ciphers[case.suite]), "--x509cafile", "ca.pem"]

	def server(self, case):
		return ["gnutls-serv", "--echo", "-p", "PORT", "--x509certfile", "p256.pem", "--x509keyfile", "p256.key",
			*self.options(case), *(["-r", "--verify-client-cert"] if case.auth else ["-a"])]

	def client(self, case, again):
		return ["gnutls-cli", "-p", "PORT", "--sni-hostname", "server.test", "--verify-hostname", "server.test",
			*self.options(case), *(["-r"] if case.resume else []),
			*(["--x509certfile", "p256.pem", "--x509keyfile", "p256.key"] if case.auth else []), "127.0.0.1"]


class NSS(Peer):
	name, program = "NSS", "tstclnt"
	groups = {"x25519": "x25519", "secp256r1": "P256", "secp384r1": "P384", "secp521r1": "P521",
		  "ffdhe2048": "FF2048", "ffdhe3072": "FF3072"}
	numbers = dict(zip(SUITES, [":1301", ":1302", ":1303"]))
	say, expect = "GET / HTTP/1.0\r\n\r", "HTTP/1.0 200"
	linger = 0.1		# its client does not end with its input
	silent_twice = True	# and says nothing in the two connections of a resumption

	def said(self):
		return "NSS " + first_line("dpkg-query", "-W", "-f", "${Version}", "libnss3")

	def prepare(self):
		db = "sql:" + self.file("nss")
		os.makedirs(self.file("nss"), exist_ok=True)
		openssl = ["openssl", "pkcs12", "-export", "-inkey", "p256.key", "-in", "p256.pem", "-name", "server.test",
			   "-out", "p256.p12", "-passout", "pass:secret"]
		for command in (["certutil", "-N", "-d", db, "--empty-password"],
				["certutil", "-A", "-d", db, "-n", "ca", "-t", "CT,C,C", "-i", "ca.pem"], openssl,
				["pk12util", "-i", "p256.p12", "-d", db, "-W", "secret"]):
			subprocess.run(command, cwd=self.dir, check=True, capture_output=True)

	def options(self, case):
		return ["-d", "sql:nss", "-V", "tls1.3:tls1.3", "-I", self.groups[case.group], "-c", self.numbers[case.suite]]

	def server(self, case):
		return ["selfserv", "-p", "PORT", "-n", "server.test", "-u", *self.options(case),
			*(["-r", "-r"] if case.auth else [])]

	def client(self, case, again):
		certificate = ["-n", "server.test"] if case.auth else []
		if case.resume:
			return ["strsclnt", "-p", "PORT", "-d", "sql:nss", "-c", "2", "-t", "1", "-V", "tls1.3:tls1.3", "-u", "-o",
				"-C", self.numbers[case.suite], "-a", "server.test", *certificate, "127.0.0.1"]
		return ["tstclnt", "-h", "127.0.0.1", "-p", "PORT", "-a", "server.test", "-f", "-u", *self.options(case), *certificate]


class Own(Peer):
	"""Programs of this folder on a library: they share their arguments."""
	alone = True		# says hello by itself, twice if it is to resume

	def arguments(self, case, server):
		pem = server or case.auth
		return ["PORT", "version=" + case.version, "suite=" + case.suite, "group=" + self.group(case), "ca=ca.pem",
			*(["cert=p256.pem", "key=p256.key"] if pem else []), *(["auth=1"] if case.auth else []),
			*(["resume=1"] if case.resume else [])]

	def group(self, case):
		return self.groups[case.group] or case.group

	def server(self, case):
		return [*self.command(), "server", *self.arguments(case, True)]

	def client(self, case, again):
		return [*self.command(), "client", *self.arguments(case, False)]


here = os.path.dirname(os.path.abspath(__file__))


class Node(Own):
	name, program = "Node", "node"
	groups = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "x448": "X448"}

	def said(self):
		return "Node " + first_line("node", "--version")

	def command(self):
		return ["node", os.path.join(here, "peer.js")]


class Go(Own):
	name, program = "Go", "go"

	def has(self, case):
		# crypto/tls does not let anybody choose among the suites of TLS 1.3.
		return case.group in self.groups and case.suite == SUITES[0]

	def said(self):
		return first_line("go", "version")

	def prepare(self):
		subprocess.run(["go", "build", "-o", self.file("go_peer"), os.path.join(here, "peer.go")], check=True,
			       env=dict(os.environ, GO111MODULE="off", GOCACHE=self.file("gocache"), HOME=self.dir))

	def command(self):
		return [self.file("go_peer")]


class WolfSSL(Own):
	name, program = "wolfSSL", "wolf_peer"
	groups = dict.fromkeys(["x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048"])
	ciphers = dict(zip(SUITES, ["TLS13-AES128-GCM-SHA256", "TLS13-AES256-GCM-SHA384", "TLS13-CHACHA20-POLY1305-SHA256"]))

	def there(self):
		return os.path.exists("/usr/include/wolfssl/ssl.h")

	def said(self):
		return "wolfSSL " + first_line("dpkg-query", "-W", "-f", "${Version}", "libwolfssl-dev")

	def prepare(self):
		subprocess.run(["gcc", "-O1", "-o", self.file("wolf_peer"), os.path.join(here, "wolf_peer.c"), "-lwolfssl"],
			       check=True)

	def arguments(self, case, server):
		return ["suite=" + self.ciphers[case.suite] if a.startswith("suite=") else a
			for a in super().arguments(case, server)]

	def command(self):
		return [self.file("wolf_peer")]


class Java(Own):
	name, program = "Java", "javac"
	groups = dict.fromkeys(GROUPS)

	def said(self):
		return first_line("java", "-version")

	def prepare(self):
		for command in (["javac", "-d", ".", os.path.join(here, "Peer.java")],
				["openssl", "pkcs12", "-export", "-inkey", "p256.key", "-in", "p256.pem", "-out", "java.p12",
				 "-passout", "pass:secret"],
				["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12",
				 "-storetype", "PKCS12", "-storepass", "secret"]):
			subprocess.run(command, cwd=self.dir, check=True, capture_output=True)

	def arguments(self, case, server):
		kept = [a for a in super().arguments(case, server) if a.split("=")[0] not in ("cert", "key", "ca")]
		return [*kept, "trust=trust.p12", *(["identity=java.p12"] if server or case.auth else [])]

	def command(self):
		return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", self.dir, "Peer"]


ALL = [OpenSSL, GnuTLS, NSS, WolfSSL, Go, Node, Java]
