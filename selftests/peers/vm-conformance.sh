#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-conformance.sh [PATTERN...]: the clients that err (conformance/) against
# ktls-serve: the handshake is the agent's, what comes after it the module's.
# "all" for every case; the check takes those that the module answers.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/peers/vm-lib.sh
. "$here/vm-lib.sh"
[ $# -gt 0 ] || set -- "after the handshake" KeyUpdate later "of data" padding
[ "$1" != all ] || set -- ""
mkdir www
echo "hello from the kernel" > www/index.html

conforms() {
	"$here/conformance/run.py" 8443 "$1" > conform.log && return
	grep -A1 "^not ok" conform.log
	return 1
}

serve 8443 "$bin/ktls-serve" --root www --port 8443 --identity ecdsa
for what in "$@"; do
	try "clients that err: ${what:-all}" conforms "$what"
done
done_testing
