#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the guest: the host's root read-only by 9p, a tmpfs over it to
# write to, and on to selftests/vm/guest.sh of the tree that was booted.
bb=/bin/busybox
$bb mount -t proc proc /proc
while read -r m; do $bb insmod "/modules/$m"; done < /modules/order

value() { $bb sed -n "s|.*\b$1=\([^ ]*\).*|\1|p" /proc/cmdline; }
top=$(value ktls.top)

opts=trans=virtio,version=9p2000.L,msize=512000
$bb mount -t 9p -o "$opts,ro,cache=loose" root /lower
$bb mount -t tmpfs -o mode=755 tmpfs /upper
$bb mkdir /upper/data /upper/work
$bb mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /newroot

# A fresh /tmp and /run, even where the tree itself lies in one of them.
$bb mount --bind "/newroot$top" /modules
for d in tmp run; do $bb mount -t tmpfs -o mode=1777 tmpfs /newroot/$d; done
$bb chmod 755 /newroot/run
$bb mkdir -p "/newroot$top" /newroot/run/vm
$bb mount --move /modules "/newroot$top"
$bb mount -t 9p -o "$opts,rw,cache=none" out /newroot/run/vm

$bb mount -t devtmpfs dev /newroot/dev
$bb mount -t sysfs sys /newroot/sys
$bb mount --move /proc /newroot/proc
exec $bb switch_root /newroot /bin/bash "$top/selftests/vm/guest.sh"
