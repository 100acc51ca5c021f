#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh SESSIONS SECONDS: the soak, inside a guest; loads the module if need be.
cd "$(dirname "$0")/../.." || exit
[ -d /sys/module/ktls ] || insmod "${VM_MODULE:?path of ktls.ko}" || exit
mkdir -p /run/ktlsd
grep -v '^workers' build/ca/ktlsd.conf > /run/ktlsd/soak.conf	# one for each processor, as where none is said
exec build/bin/soak build/bin/ktlsd /run/ktlsd/soak.conf "$1" "$2"
