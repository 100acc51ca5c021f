#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# deb.sh: Debian packages of what is committed, into build/deb, and lintian's
# opinion in build/deb/lintian. Fails if that has an error.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/deb
version=$(sed -n '1s/.*(\(.*\)-.*/\1/p' debian/changelog)
rm -rf "$out"
mkdir -p "$out"
git archive --prefix="ktls-$version/" HEAD . ':!debian' | gzip -9n > "$out/ktls_$version.orig.tar.gz"
git archive --prefix="ktls-$version/" HEAD | tar -x -C "$out"
(cd "$out/ktls-$version" && nice dpkg-buildpackage -us -uc -j2 > "$out/log" 2>&1) ||
	{ tail -30 "$out/log"; echo "deb: the whole log is $out/log"; exit 1; }
lintian --allow-root --no-tag-display-limit "$out"/*.changes > "$out/lintian" 2>&1 || true
rm -rf "${out:?}/ktls-$version"
ls "$out"/*.deb
echo "deb: lintian: $(grep -c '^E:' "$out/lintian" || true) errors, $(grep -c '^W:' "$out/lintian" || true) warnings"
! grep '^E:' "$out/lintian"
