#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reload.sh [PARAMETERS]: in a guest, load $VM_MODULE anew with these parameters,
# once nobody uses it any more.
for _ in $(seq 100); do
	[ -d /sys/module/ktls ] || break
	rmmod ktls 2> /run/rmmod && break
	sleep 0.1
done
[ ! -d /sys/module/ktls ] || { cat /run/rmmod; exit 1; }
insmod "${VM_MODULE:?}" "$@"
