#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# accel.sh SERIES: print the -accel and -cpu arguments that work here.
#
# Some machines have a /dev/kvm that cannot run a stock kernel: it hangs behind
# the boot loader. So KVM has to boot one to its first panic (no initramfs) in
# 5 seconds before it is believed; the verdict is kept in build/vm/accel.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
image=$top/build/vm/$1 verdict=$top/build/vm/accel

kvm_boots() {
	[ -w /dev/kvm ] || return 1
	local log
	log=$(timeout -k 1 5 qemu-system-x86_64 -M pc -accel kvm -cpu host -m 256M \
		-nodefaults -no-user-config -display none -no-reboot -monitor none \
		-serial stdio -kernel "$image/vmlinux" \
		-append "console=ttyS0 panic=-1 quiet" < /dev/null 2> /dev/null) || true
	grep -q 'Kernel panic.*root fs' <<< "$log"
}

if [ ! -s "$verdict" ]; then
	if kvm_boots; then
		echo "kvm -cpu host" > "$verdict.$$"
	else
		# erms off: a rep string instruction is one slow loop under TCG.
		echo "tcg,thread=multi -cpu max,la57=off,-erms" > "$verdict.$$"
	fi
	mv "$verdict.$$" "$verdict"
fi
cat "$verdict"
