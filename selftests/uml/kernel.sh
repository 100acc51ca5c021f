#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel.sh release|debug: User Mode Linux 6.12 from Debian's linux-source-6.12,
# cached in build/uml/<source version>-<hash of the configuration>; prints that folder.
# It holds `linux` and what building modules against it needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
kind=${1:?release or debug}
tarball=${KSRC_TAR:-/usr/src/linux-source-6.12.tar.xz}
fragments=("$here/base.config")
case $kind in
release) ;;
debug) fragments+=("$here/debug.config") ;;
*) echo "kernel.sh: release or debug, not '$kind'" >&2; exit 2 ;;
esac
[ -f "$tarball" ] || { echo "kernel.sh: $tarball is missing; apt-get install linux-source-6.12" >&2; exit 4; }

version=$(dpkg-query -W -f '${Version}' linux-source-6.12 2>/dev/null || stat -c %Y "$tarball")
version=${version%%~*}
sum=$(cat "${fragments[@]}" "$0" | sha256sum | cut -c1-12)
out=$top/build/uml/$kind-$version-$sum
src=$top/build/uml/source-$version
log=$top/build/uml/$kind.log
[ -x "$out/linux" ] && { echo "$out"; exit 0; }

mkdir -p "$out"
if [ ! -f "$src/.unpacked" ]; then
	rm -rf "$src"; mkdir -p "$src"
	tar xf "$tarball" -C "$src" --strip-components=1
	touch "$src/.unpacked"
fi

# The last fragment that names a symbol wins.
cat "${fragments[@]}" | awk '
	{ key = $0 }
	/^CONFIG_/ { split($0, part, "="); key = part[1] }
	!(key in line) { order[++n] = key }
	{ line[key] = $0 }
	END { for (i = 1; i <= n; i++) print line[order[i]] }' > "$out/fragment"

make="nice -n 15 make -s -C $src ARCH=um O=$out"
{
	$make KCONFIG_ALLCONFIG="$out/fragment" allnoconfig &&
	$make -j"$(nproc)" linux modules
} > "$log" 2>&1 || { echo "kernel.sh: building failed, see $log" >&2; tail -5 "$log" >&2; exit 1; }

grep '^CONFIG_[A-Z0-9_]*=[ym]' "$out/fragment" | while read -r want; do
	grep -qxF "$want" "$out/.config" || echo "kernel.sh: not taken: $want" >&2
done
# Objects are not needed any more: a tenth of the size remains.
find "$out" -name '*.o' ! -path "*/scripts/*" ! -path "*/tools/*" -delete 2>/dev/null || true
echo "$out"
