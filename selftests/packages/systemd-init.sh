#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd-init.sh: process 1 of a guest until systemd is: the Debian whose folder
# is the run's command becomes the root, below a tmpfs; what is ours lies in
# /ktls, boot.sh's folder in /vm. /etc has what an administrator would put there.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck disable=SC1091
. /run/vm/env
root=$(cat /run/vm/command)
new=/guest/root

mkdir /guest
mount -t tmpfs -o mode=755 tmpfs /guest
mkdir -p /guest/{data,work,root}
mount -t overlay -o "lowerdir=$root,upperdir=/guest/data,workdir=/guest/work" overlay $new
mkdir -p $new/vm $new/ktls
mount --bind "$VM_TOP" $new/ktls
mount --move /run/vm $new/vm
for d in proc sys dev run; do mount --move /$d $new/$d; done

cp "$VM_TOP"/build/ca/{ca,ecdsa,rsa}.pem "$VM_TOP"/build/ca/{ecdsa,rsa}.key $new/etc/ktls/
chmod 600 $new/etc/ktls/*.key
cat > $new/etc/ktls/ktlsd.conf <<END
[agent]
workers = 2
[client]
allow = everyone
[identity ecdsa]
certificate = /etc/ktls/ecdsa.pem
key = /etc/ktls/ecdsa.key
allow = uid:0
default = yes
[trust test]
file = /etc/ktls/ca.pem
END
echo 0123456789abcdef0123456789abcdef > $new/etc/machine-id
echo "127.0.0.1 localhost example.org" > $new/etc/hosts
rm -f $new/usr/sbin/policy-rc.d
units=$new/etc/systemd/system
# Nobody tells systemd of devices here, and nobody logs in.
for u in serial-getty@ttyS0 getty@tty1 systemd-networkd-wait-online; do ln -sf /dev/null $units/$u.service; done
cat > $units/trial.service <<END
[Unit]
Description=The trial
[Service]
Environment=VM_ACCEL=$VM_ACCEL
ExecStart=/bin/bash /ktls/selftests/packages/systemd-guest.sh
[Install]
WantedBy=multi-user.target
END
cat > $units/terminator.service <<END
[Unit]
Description=A socket-activated server that knows nothing of TLS
After=ktlsd.service
[Service]
ExecStart=/usr/bin/ktls-run -p 8443 -i ecdsa -- /lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
END
cat > $units/web.service <<END
[Unit]
Description=The server behind it
[Service]
ExecStart=/bin/busybox httpd -f -p 127.0.0.1:8080 -h /srv
END
cat > $units/files.service <<END
[Unit]
Description=A server with the library
After=ktlsd.service
[Service]
ExecStart=/usr/bin/ktls-serve -r /srv -p 443 -i ecdsa
END
mkdir -p $units/multi-user.target.wants
ln -s ../trial.service $units/multi-user.target.wants/
cd $new || exit
mount --move . /
exec chroot . /sbin/init
