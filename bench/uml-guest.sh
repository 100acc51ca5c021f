#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml-guest.sh: in User Mode Linux, bench/uml.c with net/tls and ktls on the same
# AES-GCM: ours, which net/tls has from the crypto API. TURNS turns.
set -eu
insmod "$KDIR/net/tls/tls.ko"
insmod build/kmod/uml-release/ktls.ko gcm="${GCM:-auto}" gcm_register=1
driver=$(awk '$1 == "driver" { d = $3 } $1 == "priority" && d ~ /^gcm/ && $3 > best { best = $3; name = d }
	END { print name }' /proc/crypto)
[[ $driver == gcm-aes-ktls-* ]] || { echo "uml-guest: net/tls would take '$driver'" >&2; exit 1; }
echo "# Linux $(uname -r), User Mode; both: $driver"
build/bench/uml "${TURNS:-15}"
