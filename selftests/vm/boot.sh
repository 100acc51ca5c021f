#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh SERIES COMMAND: boot a stock Debian kernel under qemu with the host's
# root below a tmpfs, run COMMAND in this tree as root, with module and agent.
#
# Exit status: the command's; 1 also if the kernel complained or the module
# leaked; 124 time-out, 125 no boot, or module or agent don't come up, 126 the
# guest died. Environment (defaults in brackets):
#	NOMODULE= NOAGENT=	leave them out
#	TIMEOUT=[600] MEM=[1536M, with KVM 3G] SMP=[1]	seconds, memory, processors
#	HOSTFWD=HOST:GUEST	forward this port of 127.0.0.1
#	MODPARAM= APPEND=	parameters of the module, of the kernel
#	ICOUNT=1		count instructions: the guest's clocks tick once for each
#	INIT=			a program that takes over process 1, and does all that guest.sh would
#	VM_DIR=			keep dmesg, console and the agent's log there
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
series=$1 command=$2
image=$top/build/vm/$series

"$top/selftests/vm/image.sh" "$series"
release=$(cat "$image/release")
accel=$("$top/selftests/vm/accel.sh" "$series")
icount=()
if [ -n "${ICOUNT:-}" ]; then
	# Whatever else differs from run to run is shut out; rep strings count a word, not a byte.
	accel="tcg,thread=single -cpu max,la57=off,-rdrand,-rdseed,-erms,-fsrm"
	icount=(-icount "shift=0,sleep=off" -rtc "base=2025-01-01,clock=vm" -seed 1)
	APPEND="nokaslr norandmaps random.trust_cpu=off ${APPEND:-}"
fi
[[ $accel != kvm* ]] || : "${MEM:=3G}"

if [ -n "${VM_DIR:-}" ]; then
	dir=$VM_DIR
	mkdir -p "$dir"
	rm -f "$dir"/{status,dmesg,console,ktlsd.log}
else
	dir=$(mktemp -d "$top/build/vm/run.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
fi

module= agent=
[ -n "${NOMODULE:-}" ] || module=$top/build/kmod/$release/ktls.ko
[ -n "${NOAGENT:-}$([ -n "$module" ] || echo 1)" ] || agent=$top/build/bin/ktlsd
for f in $module $agent; do
	[ -e "$f" ] || { echo "vm: no $f: build it, or leave it out with NOMODULE=1 or NOAGENT=1" >&2; exit 125; }
done

printf '%s\n' "$command" > "$dir/command"
for v in "VM_TOP=$top" "VM_IMAGE=$image" "VM_MODULE=$module" "VM_AGENT=$agent" \
	"VM_INIT=${INIT:-}" "VM_MODPARAM=${MODPARAM:-}" "VM_NET=${HOSTFWD:-}" "VM_ACCEL=${accel%% *}"; do
	printf 'export %q\n' "$v"
done > "$dir/env"

net=(-nic none)
if [ -n "${HOSTFWD:-}" ]; then
	net=(-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${HOSTFWD%:*}-10.0.2.15:${HOSTFWD#*:}"
		-device virtio-net-pci,netdev=net,romfile=)
fi

# accel is two words or more.
# shellcheck disable=SC2086
qemu() {
	timeout -k 5 "${TIMEOUT:-600}" qemu-system-x86_64 -M pc -accel $accel \
		"${icount[@]}" -smp "${SMP:-1}" -m "${MEM:-1536M}" \
		-nodefaults -no-user-config -display none -no-reboot -monitor none \
		-pidfile "$dir/pid" -serial "file:$dir/console" \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-device virtio-serial-pci,id=ports -chardev file,id=out,path=/dev/stdout \
		-device virtserialport,bus=ports.0,nr=1,chardev=out \
		-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,path=$dir,mount_tag=out,security_model=none" \
		"${net[@]}" -kernel "$image/vmlinux" -initrd "$image/initramfs.cpio" \
		-append "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic no_timer_check mitigations=off audit=0 nowatchdog net.ifnames=0 rcupdate.rcu_cpu_stall_suppress=1 initcall_blacklist=init_encrypted,jent_mod_init,trace_eval_init,init_kprobe_trace ktls.top=$top ${APPEND:-}" \
		< /dev/null 2> "$dir/qemu" | cat
	return "${PIPESTATUS[0]}"
}

# What no run may leave in the kernel's log.
complaints='WARNING:|BUG:|kernel BUG|Oops|general protection|Kernel panic|refcount_t|leak|possible (circular|recursive)|inconsistent lock|INFO: task|rcu.*stall|UBSAN|KASAN|Objects remaining|page allocation failure'

kernel_complained() {
	local log=$dir/dmesg
	[ -s "$log" ] || log=$dir/console
	sed '1,/ktls-vm: the run starts/d' "$log" > "$dir/dmesg.run"
	grep -qE "$complaints" "$dir/dmesg.run" || return 1
	echo "vm: the kernel complained:"
	grep -nE -m1 "$complaints" "$dir/dmesg.run" | cut -d: -f1 | {
		read -r line
		sed -n "$((line > 3 ? line - 3 : 1)),$((line + 45))p" "$dir/dmesg.run"
	}
}

rc=0
qemu || rc=$?
if [ -s "$dir/status" ]; then
	status=$(cat "$dir/status")
elif [ $rc = 124 ] || [ $rc = 137 ]; then
	status=124
	echo "vm: no end after ${TIMEOUT:-600} s, guest stopped; its last messages:"
	tail -5 "$dir/console"
else
	status=126
	echo "vm: the guest died (qemu: $rc)"
	cat "$dir/qemu"
	tail -60 "$dir/console"
fi
if kernel_complained && [ "$status" = 0 ]; then status=1; fi
exit "$status"
