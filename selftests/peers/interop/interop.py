#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""interop.py HS-PEER [--write FILE] [--only PEER]: our handshake against every peer of
peers.py, in both roles: suites x groups, then suites x client certificate x resumption.
What was agreed is read from our own line and has to be what the case says; the peer has to
have seen the data. One line per case, TAP; the last line is "N passed, N failed, N skipped".
--write puts the table, made from this run and nothing else, into FILE."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

import features
import peers

CIPHER = ["51", "52", "54"]
GROUP = dict(zip(peers.GROUPS, ["29", "23", "24", "25", "30", "256", "257"]))
top = os.path.abspath(os.path.join(peers.here, "../../.."))


def groups_of(suite):
	"""In TLS 1.2 a suite is for curves or for fields."""
	if "_WITH_" not in suite:
		return peers.GROUPS
	return [group for group in peers.GROUPS if group.startswith("ffdhe") == suite.startswith("TLS_DHE")]


def cases(version):
	suites = peers.SUITES if version == "1.3" else peers.SUITES12
	for suite in suites:
		for group in groups_of(suite):
			yield peers.Case(suite, group)
	for suite in suites:
		group = "ffdhe2048" if suite.startswith("TLS_DHE") else "secp256r1"
		for auth, resume in ((True, False), (False, True), (True, True)):
			yield peers.Case(suite, group, auth, resume)


def label(case):
	extra = [("client certificate", case.auth), ("resumed", case.resume)]
	return ", ".join([case.suite[4:], case.group] + [text for text, is_so in extra if is_so])


class World:
	"""A folder with keys, a port for each server, and the processes that run."""

	def __init__(self, hs_peer):
		self.peer = os.path.abspath(hs_peer)
		self.dir = tempfile.mkdtemp(prefix="interop-")
		self.port = int(os.environ.get("PEER_PORT", "26400"))
		subprocess.run([os.path.join(top, "selftests/unit/pki.sh"), self.dir], check=True)

	def listening(self):
		want = ":%04X " % self.port
		for name in ("/proc/net/tcp", "/proc/net/tcp6"):
			with open(name) as f:
				if any(want in l.split(" ", 4)[-1][:60] and " 0A " in l for l in f):
					return True
		return False

	def start(self, command):
		self.port += 1
		self.log = open(os.path.join(self.dir, "server.txt"), "w+")
		self.server = subprocess.Popen([a.replace("PORT", str(self.port)) for a in command], cwd=self.dir,
					       stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT)
		end = time.time() + 120
		while not self.listening() and time.time() < end and self.server.poll() is None:
			time.sleep(0.02)

	def stop(self):
		self.server.kill()
		self.server.wait()

	def server_text(self):
		with open(self.log.name, errors="replace") as f:
			return f.read()

	def wait_server(self, text, times=1):
		"""The server's output has it so often, in the end."""
		end = time.time() + 60
		while len(re.findall(text, self.server_text())) < times:
			if time.time() > end:
				return False
			time.sleep(0.02)
		return True

	def run(self, command, say=None, until="hello", seconds=120, linger=10):
		"""Output of a client, whose input stays open until it has said what it should, or ends."""
		command = [a.replace("PORT", str(self.port)) for a in command]
		with open(os.path.join(self.dir, "client.txt"), "w+") as out:
			p = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
			end = time.time() + seconds
			text = ""
			try:
				if not say:
					p.stdin.close()
				else:
					p.stdin.write(say.encode())
					p.stdin.flush()
				while until and p.poll() is None and time.time() < end:
					text = open(out.name, errors="replace").read()
					if say and re.search("^" + until, text, re.M):
						break
					time.sleep(0.02)
				if say:
					p.stdin.close()
				p.wait(linger if say else max(1, end - time.time()))
			except (subprocess.TimeoutExpired, BrokenPipeError):
				pass
			if p.poll() is None:
				p.kill()
				p.wait()
			return open(out.name, errors="replace").read()


class Run:
	def __init__(self, world):
		self.world, self.counts, self.number = world, {"passed": 0, "failed": 0, "skipped": 0}, 0
		self.prepared = set()

	def tell(self, what, name, why="", log=""):
		self.number += 1
		self.counts[what] += 1
		print("%s %d %s%s" % ("not ok" if what == "failed" else "ok", self.number, name, " # SKIP " + why if why else ""))
		if what == "failed":
			print("".join("# %s\n" % l for l in log.splitlines()[-25:]), end="")
		sys.stdout.flush()


def agreed(case, text):
	"""The last line of ours says what the case says."""
	lines = re.findall("^done .*", text, re.M)
	wanted = ["suite %s group %s " % (case.suite, case.group)] * (1 + case.resume)
	if case.resume and case.version == "1.2":
		wanted[1] = "suite %s group none " % case.suite
	return len(lines) == len(wanted) and all(w in l for w, l in zip(wanted, lines)) and \
		lines[-1].count("resumed 1") == case.resume


def our_server(world, peer, case):
	cert, key = case.pem()
	world.start([world.peer, "-s", "-p", "PORT", "-c", cert, "-k", key, "-n", "server.test", "-T", "2",
		     "-e", CIPHER[case.cipher], "-g", GROUP[case.group], *(["-A", "ca.pem", "-R"] if case.auth else [])])
	alone = getattr(peer, "alone", False)
	silent = case.resume and peer.silent_twice
	text = world.run(peer.client(case, False), None if alone else "hello\n", None if silent else "hello",
			 linger=10 if silent else peer.linger)
	if case.resume and not silent and not alone and not getattr(peer, "twice", False):
		text += world.run(peer.client(case, True), "hello\n")
	world.wait_server("^done|\ndone", 1 + case.resume)
	server = world.server_text()
	world.stop()
	ok = ("hello" in text or silent) and agreed(case, server)
	if case.auth and not case.resume:
		ok = ok and re.search("peer [1-9] verified 1", server)
	return ok, text + server


def our_client(world, peer, case):
	world.start(peer.server(case))
	cert, key = case.pem()		# a server of one kind of key may want the same of its clients
	command = [world.peer, "-h", "127.0.0.1", "-p", "PORT", "-n", "server.test", "-A", "ca.pem", "-T", "1",
		   "-e", CIPHER[case.cipher], "-g", ",".join(GROUP[name] for name in peer.wanted(case)), "-m", peer.say, "-x", peer.expect,
		   *(["-c", cert, "-k", key] if case.auth else [])]
	text = world.run(command + (["-O", "ticket"] if case.resume else []))
	if case.resume:
		text += world.run(command + ["-I", "ticket"])
	log = world.server_text()
	world.stop()
	ok = agreed(case, text) and "no \"" not in text and len(re.findall("verified 1", text)) == 1 + case.resume
	return ok, text + log


def run_table(run, wanted, version, table):
	for kind in peers.ALL:
		peer = kind(run.world.dir)
		if wanted and wanted != peer.name:
			continue
		there = peer.there()
		if there and peer.name not in run.prepared:
			peer.prepare()
			run.prepared.add(peer.name)
		table[peer.name] = {"said": peer.said() if there else peer.name + " is not installed", "cells": {}}
		for case in cases(version):
			for role, does in (("server", our_server), ("client", our_client)):
				cell = (label(case), role)
				name = "%s, we are the %s, %s" % (peer.name, role, label(case))
				if not peer.has(case):
					continue
				if not there:
					run.tell("skipped", name, "not installed")
					table[peer.name]["cells"][cell] = "skip"
					continue
				ok, log = does(run.world, peer, case)
				run.tell("passed" if ok else "failed", name, log=log)
				table[peer.name]["cells"][cell] = "yes" if ok else "NO"


HEAD = """# Interoperability

Made by `make interop`; every cell is a connection of that run, in which our own line of what was agreed
(suite, group, verified certificate, resumed or not) was as the row says, and data went both ways. `S`: we are the
server, `C`: we are the client. `yes`; `NO`; `-`: the peer doesn't have it, or gives no way to ask for it; `skip`: the
peer is not installed. TLS 1.2 with Go is not among it: Debian's has no extended_master_secret, without which we speak none.

"""


def write_version(f, version, table):
	f.write("| TLS %s | " % version + " | ".join("%s S | %s C" % (n, n) for n in table) + " |\n")
	f.write("|---|" + "---|" * (2 * len(table)) + "\n")
	for case in cases(version):
		row = [t["cells"].get((label(case), r), "-") for t in table.values() for r in ("server", "client")]
		f.write("| %s | %s |\n" % (label(case), " | ".join(row)))
	f.write("\n")


def write_tables(path, tables, features_seen, counts):
	with open(path, "w") as f:
		f.write(HEAD)
		for version, table in tables.items():
			write_version(f, version, {n: t for n, t in table.items() if t["cells"]})
		f.write("| what else | with | we are the | |\n|---|---|---|---|\n")
		for what, peer, role, verdict in features_seen:
			f.write("| %s | %s | %s | %s |\n" % (what, peer, role, verdict))
		said = [t["said"] for t in list(tables.values())[0].values()]
		f.write("\nThe peers: %s.\n\n%d passed, %d failed, %d skipped\n" %
			("; ".join(said), counts["passed"], counts["failed"], counts["skipped"]))


def main():
	a = argparse.ArgumentParser()
	a.add_argument("hs_peer")
	a.add_argument("--write")
	a.add_argument("--only")
	a.add_argument("--version", help="1.2 or 1.3; both if not given")
	a.add_argument("--features", action="store_true", help="no table")
	o = a.parse_args()
	run, tables, seen = Run(World(o.hs_peer)), {}, []
	for version in [] if o.features else [o.version] if o.version else ["1.3", "1.2"]:
		tables[version] = {}
		run_table(run, o.only, version, tables[version])
	if not o.only:
		features.run_all(run, seen)
	if o.write:
		write_tables(o.write, tables, seen, run.counts)
	subprocess.run(["rm", "-rf", run.world.dir])
	print("1..%d" % run.number)
	print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % run.counts)
	return run.counts["failed"] > 0


if __name__ == "__main__":
	sys.exit(main())
