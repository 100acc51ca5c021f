#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Process 1 of the guest: load the module, start the agent, run the command,
# take everything down again, and leave the verdict in /run/vm for boot.sh.
#
# /run/vm/env has what boot.sh wants (command, what to leave out); output goes
# through a virtio port, the kernel's messages to the serial line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb LANG=C.UTF-8
# shellcheck disable=SC1091
. /run/vm/env
[ -z "$VM_INIT" ] || exec "$VM_INIT"
release=$(uname -r)

prepare() {
	mkdir -p /dev/pts /dev/shm /run/lock
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t debugfs debugfs /sys/kernel/debug
	[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
	ln -sf /proc/self/fd/0 /dev/stdin
	ln -sf /proc/self/fd/1 /dev/stdout
	ln -sf /proc/self/fd/2 /dev/stderr
	mount -t tmpfs tmpfs /var/tmp
	mkdir -p "/lib/modules/$release"
	mount --bind "$VM_IMAGE/lib/modules/$release" "/lib/modules/$release"
	hostname guest
	printf '127.0.0.1 localhost guest example.org www.example.org wrong.example.org\n::1 localhost ip6-localhost\n' > /etc/hosts
	ip link set lo up
	echo 44000-46999 > /proc/sys/net/ipv4/ip_local_reserved_ports	# the scripts' servers
	ulimit -n 65536
	dmesg -n 6
	if [ -n "$VM_NET" ]; then
		modprobe virtio_net
		ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up
	fi
}

load_module() {
	local m
	[ -n "$VM_MODULE" ] || return 0
	for m in $(modinfo -F depends "$VM_MODULE" | tr ',' ' '); do
		modprobe "$m" || return
	done
	# What modprobe would do: insmod knows no soft dependencies.
	for m in $(modinfo -F softdep "$VM_MODULE" | sed -n 's/^pre: //p'); do
		modprobe "$m"
	done
	# shellcheck disable=SC2086
	insmod "$VM_MODULE" $VM_MODPARAM
}

start_agent() {
	[ -n "$VM_AGENT" ] || return 0
	"$VM_TOP/selftests/vm/agent.sh" start
}

# Everything but this shell, the output's cat and the kernel's threads.
kill_all() {
	local p
	for p in /proc/[0-9]*; do
		p=${p#/proc/}
		[ "$p" = 1 ] || [ "$p" = "$cat" ] && continue
		[ -s "/proc/$p/maps" ] && [ -n "$(tr -d '\0' < "/proc/$p/cmdline")" ] &&
			kill -9 "$p"
	done 2> /dev/null
	return 0
}

# With every process gone, the module must let itself be unloaded: whatever
# it still holds is a leak.
unload_module() {
	local i
	[ -n "$VM_MODULE" ] && [ -d /sys/module/ktls ] || return 0
	for i in $(seq 50); do
		rmmod ktls 2> /run/rmmod && return 0
		sleep 0.1
	done
	echo "vm: leak: ktls.ko is still in use after the run: $(cat /run/rmmod)"
	grep -v '	0$' /proc/net/ktls_stat
	return 1
}

run() {
	cd "$VM_TOP" || return
	echo "ktls-vm: the run starts" > /dev/kmsg
	load_module || { echo "vm: the module does not load"; return 125; }
	start_agent || { echo "vm: the agent does not start"; return 125; }
	bash /run/vm/command < /dev/null
}

prepare 2> /run/prepare || cat /run/prepare > /dev/kmsg
mkfifo /run/output
cat < /run/output > /dev/vport0p1 &
cat=$!
exec 3> /run/output
run >&3 2>&1
status=$?
[ -n "$VM_AGENT" ] && [ -d /sys/module/ktls ] &&
	"$VM_TOP/selftests/vm/agent.sh" stop >&3 2>&1
kill_all
unload_module >&3 2>&1 || [ $status != 0 ] || status=1
exec 3>&-
wait $cat
dmesg > /run/vm/dmesg
echo $status > /run/vm/status
sync
# isa-debug-exit ends qemu at once; the status above is the one that counts.
printf '\0' | dd of=/dev/port bs=1 seek=244 conv=notrunc 2> /dev/null
echo o > /proc/sysrq-trigger
sleep 60
