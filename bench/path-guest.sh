#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# path-guest.sh: in a guest, bench/path.c with net/tls on the kernel's own AES-GCM
# and ktls on its own, which is kept from the crypto API for that.
set -eu
release=$(uname -r)
modprobe -a aesni-intel gcm tls
insmod "build/kmod/$release/ktls.ko" gcm_register=0
insmod "build/bench/aead-$release/ktls_bench_aead.ko"
# Let what boots finish; without sleep=off's real time.
sleep 10
echo "# Linux $release; net/tls: $(cat /sys/module/ktls_bench_aead/parameters/driver); ktls: $(dmesg | sed -n 's/.*ktls: AES-GCM: //p')"
build/bench/path
rmmod ktls_bench_aead
rmmod ktls
