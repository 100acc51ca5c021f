#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh: run all tests and count. Every suite speaks TAP; "not ok" fails,
# "# SKIP" is counted apart, a plan that is not fulfilled and a suite that ends
# badly without saying so are failures too. The whole output is build/check.log,
# each suite's in build/check/.
#
# The two guests run side by side, one boot for each kernel; all.sh starts the
# agent there itself. SIZE= is vm-peers' large file in MiB.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
unset MAKEFLAGS MAKELEVEL MFLAGS
export CMOCKA_MESSAGE_OUTPUT=TAP
kernels="6.12 6.1"
logs=build/check
rm -rf $logs
mkdir -p $logs
started=$SECONDS

say() { echo "check: $*"; }

# suite NAME COMMAND...: run it, keep its output, leave its status.
suite() {
	local log=$logs/$1.log name=$1 rc=0 began=$SECONDS
	shift
	"$@" > "$log" 2>&1 < /dev/null || rc=$?
	echo "# exit status $rc" >> "$log"
	say "$name: $(verdict "$log"), $((SECONDS - began)) s"
}

# One line "passed failed skipped" out of a log. A suite without a single
# result, or with a bad exit status and no "not ok", has one failure.
count() {
	awk '
	/^[ \t]*(not )?ok([ \t]|$)/ {
		seen++
		if (tolower($0) ~ /#[ \t]*skip/) skipped++
		else if ($1 == "not") failed++
		else passed++
	}
	/^1\.\.0[ \t]*#[ \t]*[Ss][Kk][Ii][Pp]/ { skipped++; seen++; planned++; next }
	/^1\.\.[0-9]+/ { planned += substr($1, 4) }
	/^# exit status / { rc = $4 }
	END {
		if (planned > seen) failed += planned - seen
		if (rc == 4 && !seen) { skipped++; seen++ }
		else if (!seen || (rc && !failed)) failed++
		print passed + 0, failed + 0, skipped + 0
	}' "$1"
}

verdict() {
	local p f s
	read -r p f s < <(count "$1")
	echo "$p passed, $f failed, $s skipped"
}

# ---- suites

# as_test NAME COMMAND...: a command without TAP is one test; status 4 skips.
as_test() {
	local name=$1 rc=0 said=$logs/as_test.$BASHPID
	shift
	echo "1..1"
	"$@" > "$said" 2>&1 || rc=$?
	sed 's/^/# /' "$said"
	case $rc in
	0) echo "ok 1 - $name" ;;
	4) echo "ok 1 - $name # SKIP $(tail -n 1 "$said")" ;;
	*) echo "not ok 1 - $name" ;;
	esac
	rm -f "$said"
}

# The kernel's makefiles exit 0 with warnings; they must not.
without_warning() {
	local out rc=0
	out=$("$@" 2>&1) || rc=$?
	echo "$out"
	[ $rc = 0 ] && ! grep -E 'warning:|error:' <<< "$out"
}

module_builds() {
	local release
	release=$(cat "build/vm/$1/release") || return
	rm -rf "build/kmod/$release"
	without_warning make -s -j2 module "KREL=$release"
}

module_sparse() {
	without_warning make -s -j2 sparse "KREL=$(cat "build/vm/$1/release")"
}

# The generated header is what the specification says, by the kernel's generator.
uapi_header() {
	local tarball=${KSRC_TAR:-/usr/src/linux-source-6.12.tar.xz} source=build/ynl
	if [ ! -e $source/ready ]; then
		mkdir -p $source
		tar xf "$tarball" -C $source --strip-components=1 --wildcards \
			'*/tools/net/ynl' '*/Documentation/netlink' || return
		touch $source/ready
	fi
	scripts/ynl-header.sh "$PWD/$source" "$PWD/$logs/ktls_netlink.h" &&
		diff -u kmod/uapi/linux/ktls_netlink.h $logs/ktls_netlink.h
}

unit_tests() {
	local t
	# All at once, then one by one, so that a program that doesn't build fails alone.
	make -s -k -j2 $(ls selftests/unit/*_test.c | sed 's|^selftests/\(.*\)\.c$|build/\1|')
	for t in selftests/unit/*_test.c; do
		t=$(basename "${t%_test.c}")
		make -s unit "T=$t" || echo "# unit program $t ended with a failure"
	done
}

guest() {
	NOAGENT=1 NOMODULE='' VM_DIR=$PWD/build/vm/check-$1 TIMEOUT=${VM_TIMEOUT:-1500} \
		selftests/vm/boot.sh "$1" "SIZE=${SIZE:-} selftests/vm/all.sh"
}

main() {
	say "building"
	scripts/deps.sh build module vm kselftest peers test || return
	for k in $kernels; do
		selftests/vm/image.sh "$k" && scripts/deps.sh headers "$k" > /dev/null || return
	done
	scripts/test-ca.sh build/ca || return
	suite build as_test "agent, library and tools build" make -s -j2 all
	for k in $kernels; do
		suite "module-$k" as_test "the module builds for $k without a warning" module_builds "$k"
	done
	suite kselftest-build as_test "mainline's selftest builds" make -s kselftest-build
	suite kernel-programs as_test "the kernel part's test programs build" make -s -j2 kernel-tests mid-peer

	local guests=()
	for k in $kernels; do
		suite "guest-$k" guest "$k" &
		guests+=($!)
	done
	suite style selftests/style.sh
	suite uapi as_test "ktls_netlink.h is what ktls.yaml generates" uapi_header
	suite unit unit_tests
	suite tsan as_test "the signing threads share nothing without a lock" make -s tsan
	suite secrets make -s secrets
	suite peers-native make -s peers-native
	suite peers-relay make -s peers-relay
	suite peers-schemes make -s peers-schemes
	suite peers-many make -s many-quick
	suite fuzz-corpus make -s fuzz-corpus
	for k in $kernels; do
		suite "sparse-$k" as_test "sparse is content with the module for $k" module_sparse "$k"
	done
	wait "${guests[@]}"
}

summary() {
	local p=0 f=0 s=0 a b c log
	for log in $logs/*.log; do
		read -r a b c < <(count "$log")
		p=$((p + a)) f=$((f + b)) s=$((s + c))
		[ "$b" = 0 ] || grep -HE '^[ \t]*not ok' "$log" | grep -vi '# *skip' ||
			{ echo "$log: ended without saying what failed:"; tail -5 "$log"; }
		grep -HiE '^[ \t]*(not )?ok.*# *skip|^1\.\.0.*# *skip' "$log"
	done
	say "$((SECONDS - started)) s; each suite's output is in $logs/"
	echo "$p passed, $f failed, $s skipped"
	[ $f = 0 ]
}

{
	main && summary || { rc=$?; [ -n "$(ls $logs)" ] || echo "0 passed, 1 failed, 0 skipped"; exit $rc; }
} 2>&1 | tee build/check.log
exit "${PIPESTATUS[0]}"
