#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh SESSIONS SECONDS: the soak, inside a guest; loads the module if need be.
cd "$(dirname "$0")/../.." || exit
[ -d /sys/module/ktls ] || insmod "${VM_MODULE:?path of ktls.ko}" || exit
mkdir -p /run/ktlsd
exec build/bin/soak build/bin/ktlsd build/ca/ktlsd.conf "$1" "$2"
