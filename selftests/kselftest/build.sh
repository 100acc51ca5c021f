#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh: mainline's selftest of net/tls out of Debian's linux-source-6.12 as
# build/kselftest/tls. tls.c is mended where it does not compile (mend.py says
# how), and its tests that move 60 MB have 900 s instead of the harness's 30:
# emulated, they need more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$top/build/kselftest
tarball=${KSRC_TAR:-/usr/src/linux-source-6.12.tar.xz}
tests=tools/testing/selftests

[ "$out/tls" -nt "$tarball" ] && [ "$out/tls" -nt "$0" ] && [ "$out/tls" -nt "$here/mend.py" ] && exit
"$top/scripts/deps.sh" kselftest
mkdir -p "$out"
files=("$tests/net/tls.c" "$tests/kselftest.h" "$tests/kselftest_harness.h")
unpacked=$(compgen -G "$top/build/uml/source-*/$tests" | head -1) || true
if [ -n "$unpacked" ]; then
	tar cf - -C "${unpacked%"/$tests"}" "${files[@]}" | tar xf - -C "$out" --strip-components=2
else
	tar xf "$tarball" -C "$out" --strip-components=3 --wildcards --occurrence=1 "${files[@]/#/*/}"
fi
mv "$out/selftests/net/tls.c" "$out/selftests/net/tls.c.orig"
"$here/mend.py" "$out/selftests/net/tls.c.orig" "$out/selftests/net/tls.c"
sed -i 's/^TEST_F(tls, \(mutliproc_[a-z_]*\))/TEST_F_TIMEOUT(tls, \1, 900)/' "$out/selftests/net/tls.c"
"${CC:-gcc}" -O2 -w -static -o "$out/tls.new" "$out/selftests/net/tls.c"
mv "$out/tls.new" "$out/tls"
