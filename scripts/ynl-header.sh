#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ynl-header.sh KERNEL_SOURCE [OUT]: make linux/ktls_netlink.h from ktls.yaml
# with the kernel's own generator, which wants the layout of a kernel tree
# around the spec (without a MAINTAINERS file it never returns).
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
ksrc=$1 out=${2:-$top/kmod/uapi/linux/ktls_netlink.h}
gen=$ksrc/tools/net/ynl/ynl-gen-c.py
[ -f "$gen" ] || { echo "ynl-header: no $gen; install linux-source-6.12 and unpack tools/ and Documentation/" >&2; exit 4; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/Documentation/netlink/specs"
cp "$ksrc"/Documentation/netlink/*.yaml "$tmp/Documentation/netlink/"
# The generator knows one licence; ours goes back in behind it.
theirs='((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)'
ours='(GPL-2.0 WITH Linux-syscall-note) OR MIT'
sed "1s/: .*/: $theirs/" "$top/kmod/uapi/ktls.yaml" > "$tmp/Documentation/netlink/specs/ktls.yaml"
touch "$tmp/MAINTAINERS"
cd "$tmp"
timeout 60 /usr/bin/python3 "$gen" --mode uapi --header \
	--spec Documentation/netlink/specs/ktls.yaml -o "$tmp/out.h"
sed "1s|: .* \*/|: $ours */|" "$tmp/out.h" > "$out"
