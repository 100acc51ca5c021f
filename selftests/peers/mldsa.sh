#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mldsa.sh MLDSA-PEER: our ML-DSA against the only other one that is near: the npm
# package @noble/post-quantum, below build/node_modules or where NOBLE says.
here=$(dirname "$0")
noble=${NOBLE:-build/node_modules/@noble/post-quantum}/ml-dsa.js

skip() {
	echo "1..0 # SKIP $1"
	exit 4
}

command -v node > /dev/null || skip "node is not installed: apt-get install nodejs"
[ -f "$noble" ] || skip "no ${noble%/*}: npm install --prefix build @noble/post-quantum"
exec node "$here/mldsa.mjs" "$(realpath "$1")" "$(realpath "$noble")"
