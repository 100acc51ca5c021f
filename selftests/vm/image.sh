#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# image.sh SERIES: make build/vm/SERIES/ out of Debian's kernel package: the
# uncompressed kernel, its modules, and an initramfs that mounts the host's root.
#
# The package is unpacked, never installed. "release" names what was unpacked;
# the module must be built for exactly that. Ready is what has a "ready" file.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
series=$1
here=$top/selftests/vm dir=$top/build/vm/$series

# What the initramfs needs to reach the root; all else is loaded from there.
boot_modules="virtio_pci virtio_console 9p 9pnet_virtio overlay"

fresh() {
	[ -e "$dir/ready" ] || return 1
	local f
	for f in "$here/image.sh" "$here/initramfs.sh"; do
		[ "$dir/ready" -nt "$f" ] || return 1
	done
}

# The boot protocol's header says where the compressed kernel lies; its last
# four bytes are the unpacked size, which no decompressor wants.
extract_vmlinux() {
	local setup off len start
	setup=$(od -An -tu1 -j497 -N1 "$1")
	off=$(od -An -tu4 -j584 -N4 "$1")
	len=$(od -An -tu4 -j588 -N4 "$1")
	start=$(((setup + 1) * 512 + off))
	case $(od -An -tx1 -j$start -N4 "$1" | tr -d ' ') in
	28b52ffd) set -- "$1" "$2" zstd -qdc ;;
	fd377a58) set -- "$1" "$2" xz -qdc ;;
	1f8b*)    set -- "$1" "$2" gzip -dc ;;
	*) echo "image: unknown compression of $1" >&2; return 1 ;;
	esac
	head -c $((start + len - 4)) "$1" | tail -c +$((start + 1)) | "${@:3}" > "$2"
}

make_initramfs() {
	local root=$1 release=$2 out=$3 tree=$1/initramfs m f to
	mkdir -p "$tree"/{bin,proc,sys,dev,lower,upper,newroot,modules}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	install -m 755 "$here/initramfs.sh" "$tree/init"
	for m in $boot_modules; do
		modprobe -d "$root" -S "$release" --show-depends "$m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
	while read -r f; do
		to=$(basename "${f%.xz}")
		case $f in
		*.xz) xz -dc "$f" > "$tree/modules/$to" ;;
		*) cp "$f" "$tree/modules/$to" ;;
		esac
		echo "$to" >> "$tree/modules/order"
	done
	(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) > "$out"
	rm -rf "$tree"
}

if fresh; then exit 0; fi
mkdir -p "$top/build/vm"
exec 9> "$top/build/vm/lock-$series"
flock 9
if fresh; then exit 0; fi

tmp=$(mktemp -d "$top/build/vm/new.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
deb=$("$top/scripts/deps.sh" image "$series")
dpkg-deb -x "$deb" "$tmp"
release=$(basename "$tmp"/boot/vmlinuz-*)
release=${release#vmlinuz-}
depmod -b "$tmp" "$release"
extract_vmlinux "$tmp/boot/vmlinuz-$release" "$tmp/vmlinux"
make_initramfs "$tmp" "$release" "$tmp/initramfs.cpio"
echo "$release" > "$tmp/release"
rm -rf "$tmp/usr" "$tmp/boot"
touch "$tmp/ready"
rm -rf "$dir"
chmod 755 "$tmp"
mv "$tmp" "$dir"
trap - EXIT
echo "image: kernel $release is ready in build/vm/$series" >&2
