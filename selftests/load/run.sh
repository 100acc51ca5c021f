#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh IDLE BUSY ROUNDS: ktls-serve's engines under load, inside a guest.
cd "$(dirname "$0")/../.." || exit
top=$PWD idle=$1 busy=$2 rounds=$3 port=46400
[ -d /sys/module/ktls ] || insmod "${VM_MODULE:?path of ktls.ko}" || exit
dir=$(mktemp -d) servers=()
trap 'kill "${pids[@]}"; selftests/vm/agent.sh stop; rm -rf "$dir"' EXIT
mkdir "$dir/www"
head -c 20000 /dev/urandom > "$dir/www/piece"
head -c 1048576 /dev/urandom > "$dir/www/large"
echo "a page" > "$dir/www/index.html"
# More handshakes at once than there are processors take their time.
echo 240000 > /sys/module/ktls/parameters/handshake_timeout_ms
selftests/vm/agent.sh start || exit
ulimit -n $((4 * (idle + busy) + 4096)) || exit
AGENT_PIDS=$(pgrep -x ktlsd | tr "\n" " ")
export AGENT_PIDS
for engine in epoll uring; do
	port=$((port + 1))
	build/bin/ktls-serve -r "$dir/www" -p $port -i ecdsa --idle 86400 -t 1 -e $engine 2> "$dir/$engine" &
	pids+=($!)
	servers+=("$engine:$port:$!")
	until grep -q "on port" "$dir/$engine"; do sleep 0.1; done
done
build/bin/load "$dir/www" "$idle" "$busy" "$rounds" "${servers[@]}"
rc=$?
grep -h "no io_uring" "$dir/uring" && rc=1
exit $rc
