#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd-guest.sh: a service of the guest that systemd-init.sh made: ktlsd under
# systemd, restarted, killed, hung, upgraded and reloaded while sessions are
# open that must not notice; servers as units; what systemd says of the unit.
exec > /dev/vport0p1 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root
# shellcheck source=selftests/peers/vm-lib.sh
. /ktls/selftests/peers/vm-lib.sh
exposure_limit=50	# tenths
ca=/etc/ktls/ca.pem

end_of_guest() {
	local rc=$?
	journalctl -b --no-pager > /vm/journal
	dmesg > /vm/dmesg
	echo $rc > /vm/status
	sync
	printf '\0' | dd of=/dev/port bs=1 seek=244 conv=notrunc 2> /dev/null
	echo o > /proc/sysrq-trigger
}
trap end_of_guest EXIT
echo "ktls-vm: the run starts" > /dev/kmsg

has() { systemctl show -P "$1" ktlsd.service; }
up() { [ "$(has ActiveState)" = active ] && ktlsctl status | grep -q '^worker.*ready'; }
booted() {
	local state
	state=$(timeout 600 systemctl is-system-running --wait)
	echo "$state"
	systemctl --failed --no-legend --plain
	! systemctl --failed --no-legend --plain | grep -i ktls && [ "$state" = running ]
}
agent_is_up() { [ "$(has Type)" = notify ] && until_true 120 up && [ -d /sys/module/ktls ]; }
from_package() {
	modinfo -F filename ktls | grep -q /updates/dkms/ &&
		[ "$(stat -c %U /proc/"$(pgrep -f 'ktlsd.*worker' | head -1)")" = ktlsd ]
}

# ---- sessions that stay: lines both ways between ktls-cat and s_client, and a file that takes curl its time

fetch() { curl -sS --max-time 120 --cacert $ca "https://localhost:$1/page" | cmp - /srv/page; }
talk_begins() {
	mkfifo to_server to_client
	exec 7<> to_server 8<> to_client
	ktls-cat -N -l -i ecdsa 4433 < to_client > at_server 2> server.err &
	until_true 60 listening 4433 || return
	openssl s_client -quiet -connect 127.0.0.1:4433 -servername localhost -CAfile $ca -verify_return_error \
		< to_server > at_client 2> client.err &
	lines
}
lines() { # one more each way
	said=$((said + 1))
	echo "to the server $said" >&7
	echo "to the client $said" >&8
	until_true 60 grep -qx "to the server $said" at_server && until_true 60 grep -qx "to the client $said" at_client ||
		{ tail -3 at_server at_client server.err client.err; return 1; }
}
slow_file() {
	curl -sS --max-time 1200 --limit-rate 100K --cacert $ca -o slow https://localhost/big 2> slow.err &
	slow=$!
	until_true 60 test -s slow
}
slow_goes_on() {
	local had
	had=$(stat -c %s slow)
	until_true 60 more_than "$had" && kill -0 $slow
}
more_than() { [ "$(stat -c %s slow)" -gt "$1" ]; }
slow_is_whole() { kill -0 $slow && kill $slow; cmp -n "$(stat -c %s slow)" slow /srv/big; }

# survived COMMAND...: afterwards another agent serves, and the sessions are as before.
survived() {
	local before
	before=$(has MainPID)
	"$@" || return
	until_true 120 another "$before" || { systemctl status ktlsd; return 1; }
	lines && slow_goes_on && fetch 443
}
another() { [ "$(has MainPID)" != 0 ] && [ "$(has MainPID)" != "$1" ] && up; }
kill_main() { kill -9 "$(has MainPID)"; }
hang_main() { kill -STOP "$(has MainPID)"; }
upgrade() { dpkg -i /packages/ktlsd_*.deb; }
reloaded() {
	local pid
	pid=$(has MainPID)
	sed -i 's/^workers = .*/workers = 1/' /etc/ktls/ktlsd.conf
	systemctl reload ktlsd && until_true 60 one_worker && [ "$(has MainPID)" = "$pid" ] && lines && fetch 443
}
one_worker() { [ "$(ktlsctl status | grep -c '^worker')" = 1 ]; }
restart() { systemctl restart ktlsd; }

proxied() { systemctl start web terminator && until_true 60 listening 8443 && fetch 8443; }
proxied_after_restart() { restart && fetch 8443; }
exposure() {
	systemd-analyze security --threshold=$exposure_limit --no-pager ktlsd.service > exposure || { tail -3 exposure; return 1; }
	tail -1 exposure
}
stopped() {
	systemctl stop ktlsd && [ "$(has ActiveState)" = inactive ] && ! pgrep ktlsd && lines && ! fetch 443
}
nothing_bad() { # systemd itself complains of the watchdog
	journalctl -b -t ktlsd --no-pager -q | grep -q "serving with" && ! journalctl -b -t ktlsd -p err --no-pager -q | grep .
}

mkdir -p /srv /run/systemd/system/ktlsd.service.d
echo "the page" > /srv/page
head -c 100000000 /dev/urandom > /srv/big
try "systemd brings the machine up" booted
try "ktlsd is up, and the module loaded" agent_is_up
[ $failures = 0 ] || { journalctl -b --no-pager | tail -50; done_testing; }
try "the module is DKMS's, workers are the user ktlsd" from_package
try "a server as a unit" systemctl start files
try "a session" talk_begins
try "and a file that takes its time" slow_file
try "systemctl restart: both go on" survived restart
try "kill -9: both go on with what systemd starts anew" survived kill_main
printf '[Service]\nWatchdogSec=20\n' > /run/systemd/system/ktlsd.service.d/watchdog.conf
systemctl daemon-reload
try "restarted with a watchdog of 20 s" survived restart
try "it hangs: the watchdog has it replaced" survived hang_main
try "the package is upgraded" survived upgrade
try "systemctl reload: the same agent, another configuration" reloaded
try "socket activation: ktls-run before systemd-socket-proxyd" proxied
try "the same after a restart of the agent" proxied_after_restart
try "systemd-analyze security: below $exposure_limit tenths" exposure
sed 's/^/# /' exposure | tail -1
try "the agent has nothing to complain of" nothing_bad
try "systemctl stop: what is open stays, new ones are refused" stopped
try "what came of the file is right" slow_is_whole
done_testing
