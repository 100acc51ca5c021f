#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# memory.sh: in a guest without the module, kernel memory per idle TLS socket
# under net/tls and then under ours, in one boot (memory.c says how).
# Last line: bytes per idle TLS socket: net/tls X, ktls Y
# Fails if ours takes more than LIMIT bytes [1331], fresh or after use.
set -euo pipefail
cd "$(dirname "$0")/.."
module=build/kmod/$(uname -r)/ktls.ko
limit=${LIMIT:-1331}

measure() {
	local out
	out=$(build/bench/memory "$1")
	grep '^#' <<< "$out" >&2
	tail -1 <<< "$out"
}

modprobe -a $(modinfo -F depends $module | tr ',' ' ') tls gcm aesni-intel
read -r theirs theirs_used < <(measure tls)
insmod $module
read -r ours ours_used < <(measure ktls)
rmmod ktls
echo "# used and idle again: net/tls $theirs_used, ktls $ours_used"
echo "bytes per idle TLS socket: net/tls $theirs, ktls $ours"
[ "$ours" -le "$limit" ] && [ "$ours_used" -le "$limit" ]
