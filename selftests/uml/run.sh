#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [-k release|debug] [-m MEM] [-t SECONDS] [-o KERNEL_ARGS] SCRIPT [ARGS...]
# Boots User Mode Linux with the host's / as read-only root and runs SCRIPT in it
# as root, in the directory of the caller. $OUT (default build/uml/out) is writable.
# Exit status: SCRIPT's; 124 timed out; 125 the guest died; 126 the kernel log
# has a report (WARNING, BUG, KASAN, lockdep, leak), printed last.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
kind=debug mem=2G limit=600 extra=
while getopts k:m:t:o: opt; do
	case $opt in
	k) kind=$OPTARG ;; m) mem=$OPTARG ;; t) limit=$OPTARG ;; o) extra=$OPTARG ;;
	*) sed -n 3,8p "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { sed -n 3,8p "$0" >&2; exit 2; }
kernel=$("$here/kernel.sh" "$kind") || exit $?
script=$(readlink -f "$1"); shift
out=${OUT:-$top/build/uml/out}
mkdir -p "$out"
work=$(mktemp -d "$top/build/uml/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

{ echo '#!/bin/bash'; printf 'exec %q' "$script"; printf ' %q' "$@"; echo; } > "$work/command"
cat > "$work/init" <<EOF
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb LANG=C.UTF-8 OUT=$out KDIR=$kernel KTLS_TOP=$top
mount -t proc proc /proc; mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
for d in /run /var/tmp /var/log /var/lib/nginx /mnt /root; do
	[ -d \$d ] && mount -t tmpfs tmpfs \$d
done
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
for d in "$out" "$work"; do mount -t hostfs -o "\$d" none "\$d"; done
mount -t tmpfs -o mode=1777 tmpfs /tmp
ln -s /proc/self/fd /dev/fd 2>/dev/null
ip link set lo up
echo 44000-46999 > /proc/sys/net/ipv4/ip_local_reserved_ports
dmesg -n 1
cd $PWD
bash $work/command </dev/null; rc=\$?
dmesg > $work/dmesg
echo \$rc > $work/status
sync
exec busybox poweroff -f
EOF
chmod +x "$work/init" "$work/command"

ulimit -c 0
timeout -k 5 "$limit" "$kernel/linux" mem="$mem" umid="$(basename "$work")" uml_dir="$work/uml" \
	root=/dev/root rootfstype=hostfs rootflags=/ ro init="$work/init" \
	con=null con0=null,fd:1 ssl=null panic=-1 quiet loglevel=1 $extra </dev/null 2>&1
rc=$?
[ $rc = 124 ] && { echo "run.sh: timed out after $limit s" >&2; exit 124; }
[ -s "$work/status" ] || { echo "run.sh: the guest died, exit status $rc" >&2; exit 125; }
cp "$work/dmesg" "$out/dmesg"
if grep -qE 'WARNING|BUG:|KASAN|UBSAN|possible recursive locking|circular locking|inconsistent lock state|suspicious RCU|unreferenced object|refcount_t|ODEBUG|Oops|general protection' "$work/dmesg"; then
	echo "run.sh: the kernel log has a report:" >&2
	grep -E -m1 -A40 'WARNING|BUG:|KASAN|UBSAN|possible recursive locking|circular locking|inconsistent lock state|suspicious RCU|unreferenced object|refcount_t|ODEBUG|Oops|general protection' "$work/dmesg" >&2
	exit 126
fi
exit "$(cat "$work/status")"
