#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-fleet.sh: two agents in two network namespaces, as on two machines behind
# a balancer that gives each connection to the next, share their ticket secret
# by a file and through Redis. s_client, curl and our own client resume at one
# what the other began; agents and Redis are killed in between, and nothing
# ever fails; early data are taken once in the whole fleet.
# shellcheck source=selftests/peers/vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"
# shellcheck source=selftests/peers/agents-lib.sh
. "$top/selftests/peers/agents-lib.sh"
export PATH=$PATH:/usr/sbin:/sbin
mkdir www
echo "the page" > www/page
address_left=10.77.1.2 address_right=10.77.2.2 door=44300

# ---- two machines: namespaces left and right; the clients' are here

machine() { # NAME NETWORK
	ip netns add "$1" && ip -n "$1" link set lo up &&
		ip link add "to-$1" type veth peer name eth0 netns "$1" &&
		ip address add "$2.1/24" dev "to-$1" && ip link set "to-$1" up &&
		ip -n "$1" address add "$2.2/24" dev eth0 && ip -n "$1" link set eth0 up
}
machines() { machine left 10.77.1 && machine right 10.77.2; }
no_machines() { ip netns del left; ip netns del right; }

in_namespace_listens() { ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .; }
web() { # NAME
	ip netns exec "$1" "$bin/ktls-serve" -r www -p 443 -i ecdsa > "$work/web.$1" 2>&1 < /dev/null &
	servers+=($!)
	disown
	until_true 60 in_namespace_listens "$1" 443
}
start_in() { start "$1" ip netns exec "$1"; }	# NAME

# ---- clients; each says how many of its connections were resumed

request() { printf 'GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'; }
s_client() { # ADDRESS:PORT OPTION...
	request | timeout 60 openssl s_client -ign_eof -connect "$1" -servername localhost \
		-CAfile "$ca/ca.pem" -verify_return_error "${@:2}" > got 2> err
	grep -q "the page" got || { cat err got; return 1; }
}
said_reused() { grep -ac "^Reused" got || true; }

# s_client -reconnect closes before it has read a TLS 1.3 ticket: by 1.2 only.
by_reconnect() { s_client 127.0.0.1:$door -tls1_2 -reconnect && said_reused; }

by_sessions() { # TLS 1.3: every second one
	local n=0 _
	for _ in 1 2 3; do
		rm -f session
		s_client 127.0.0.1:$door -tls1_3 -sess_out session && [ "$(said_reused)" = 0 ] || return
		s_client 127.0.0.1:$door -tls1_3 -sess_in session || return
		n=$((n + $(said_reused)))
	done
	echo $n
}

by_curl() { # OPTION...: six connections of one process
	local one=(-sS --max-time 60 -H "Connection: close" --cacert "$ca/ca.pem" "$@") all=() _
	for _ in 1 2 3 4 5 6; do
		all+=(--next -v "${one[@]}" "https://localhost:$door/page")
	done
	curl "${all[@]:1}" > got 2> err || { tail -3 err; return 1; }
	[ "$(grep -c "the page" got)" = 6 ] || return
	grep -ciE 'SSL re-?using session' err || true
}

by_ours() { # a client of ours, whose agent keeps the tickets
	local n=0 _
	for _ in 1 2 3 4 5 6; do
		request | timeout 60 "$bin/ktls-cat" -v -N -T test -n localhost 127.0.0.1 $door > got 2> err
		grep -q "the page" got || { cat err got; return 1; }
		n=$((n + $(grep -c ', resumed' err)))
	done
	echo $n
}

# of_six RESUMED COMMAND...: as many at least, both sides say the same, and each machine had its part ($at_left).
of_six() {
	local want=$1 said done_left done before
	shift
	until_true 60 told left right
	before=$(counted resumed left right) done_left=$(counted done left) done=$(counted done left right)
	said=$("$@") || { echo "failed: $said"; return 1; }
	until_true 60 told_six || { echo "counters: $(counted done left right)"; return 1; }
	echo "the client says $said of 6 were resumed, the agents $(($(counted resumed left right) - before))"
	[ "$said" -ge "$want" ] && [ $(($(counted resumed left right) - before)) = "$said" ] &&
		[ $(($(counted done left) - done_left)) = "${at_left:-3}" ]
}
told_six() { told left right && [ $(($(counted done left right) - done)) = 6 ]; }

# curl takes no tickets in TLS 1.2, and the list of sessions by name is the machine's own.
by_curl12() { by_curl --tls-max 1.2 --connect-to "::$address_left:443"; }

rates() { # WHEN
	try "$1: s_client -reconnect by TLS 1.2, 5 of 6 resumed" of_six 5 by_reconnect
	try "$1: s_client by TLS 1.3, 3 of 6: each second one" of_six 3 by_sessions
	try "$1: curl by TLS 1.3, 5 of 6" of_six 5 by_curl --tlsv1.3
	at_left=6 try "$1: curl by TLS 1.2 at one machine, 5 of 6" of_six 5 by_curl12
	try "$1: our own client, every second one at least" of_six 3 by_ours
}

# ---- what happens to a fleet

rm_session() { rm -f session; s_client $address_left:443 -tls1_3 -sess_out session; }
resumes_right() { s_client $address_right:443 -tls1_3 -sess_in session && [ "$(said_reused)" = 1 ]; }

one_killed() { # the ticket is from before
	rm_session && die right && start_in right && resumes_right
}
both_killed() { rm_session && die left && die right && start_in left && start_in right && resumes_right; }
both_restarted() { rm_session && end left && end right && start_in left && start_in right && resumes_right; }

shares() { # WHAT LINE...
	local what=$1 n
	shift
	for n in left right; do
		config $n "$@"
		try "$what: agent on the $n" start_in $n
	done
	rates "$what"
	try "$what: one is killed, a ticket from before is resumed there" one_killed
	try "$what: both are killed" both_killed
	try "$what: both are restarted" both_restarted
	rates "$what, after all that"
}
no_agents() { end left; end right; }

own_keys() { # without a common secret the other one's ticket is worth nothing
	config left && config right && start_in left && start_in right &&
		rm_session && s_client $address_right:443 -tls1_3 -sess_in session && [ "$(said_reused)" = 0 ]
}

redis() {
	redis-server --port 0 --unixsocket "$work/redis.sock" --save "" --dir "$work" > redis.log 2>&1 < /dev/null &
	pid_redis=$!
	servers+=($!)
	disown
	until_true 60 redis-cli -s redis.sock ping
}
no_redis() { kill -9 "$pid_redis"; until_true 20 gone "$pid_redis"; rm -f redis.sock; }

# Whether resumed or not, all six get the page.
nothing_fails() { by_reconnect && by_curl --tlsv1.3 && by_ours && by_sessions; }
alone() { die left && start_in left && nothing_fails && grep -q "tickets are this agent's own" left.log; }
together_again() { rm_session && resumes_right; }

redis_comes_and_goes() {
	try "Redis is gone: nobody forgets the secret" no_redis
	rates "Redis is gone"
	try "an agent starts without it: nothing fails" alone
	try "Redis is back, and has lost its memory" redis
	try "the fleet finds together" until_true 60 together_again
	rates "with a new secret"
	try "nothing fails while Redis hangs" hanging_redis
}
hanging_redis() {
	kill -STOP "$pid_redis"
	nothing_fails
	local rc=$?
	kill -CONT "$pid_redis"
	return $rc
}

# ---- early data, once in the fleet

early_server() { # NAME
	ip netns exec "$1" /usr/bin/python3 -B "$top/selftests/peers/early.py" serve 4701 500 > "early.$1" 2>&1 < /dev/null &
	servers+=($!)
	disown
	until_true 60 in_namespace_listens "$1" 4701
}
says() { grep -qax -- "$1" "$2" || { cat "$2"; return 1; }; }
answered() { grep -qas "you said $1" got; }
early_client() { # NAME TEXT OPTION...
	rm -f got
	{ echo "$2"; until_true 60 answered "$2" > /dev/null; } |
		timeout 120 ip netns exec "$1" openssl s_client -connect 127.0.0.1:4701 -servername example.org -tls1_3 \
			-CAfile "$ca/ca.pem" -verify_return_error "${@:3}" > got 2>&1
}
early_is() { # accepted|rejected NAME TEXT
	early_client "$2" "$3" -sess_in early.session -early_data early.txt &&
		says "Early data was $1" got && says "you said $3" got && says "read $3" "early.$2"
}
early_ticket() { rm -f early.session; early_client left "for a ticket" -sess_out early.session && says "early none " early.left; }
early_after_kill() { die right && start_in right && early_is rejected right "after a kill"; }
early_after_amnesia() {
	early_ticket && early_is accepted right "the first" && no_redis && redis &&
		early_is rejected left "while it knows nothing" && until_true 60 together_again && early_is rejected left "anew"
}
early_without_redis() { early_ticket && no_redis && early_is rejected left "without Redis" && redis; }

early_data() {
	echo "early bird" > early.txt
	early_server left && early_server right || return
	try "early data: a ticket from the left" early_ticket
	try "early data: taken on the right" early_is accepted right "later"
	try "early data: the same again, on the left: refused" early_is rejected left "again"
	try "early data: and on the right" early_is rejected right "once more"
	try "early data: refused after the right one was killed" early_after_kill
	try "early data: refused when Redis has lost its memory" early_after_amnesia
	try "early data: with the new secret they are taken" early_with_new_secret
	try "early data: none while Redis is away" early_without_redis
}
early_with_new_secret() { until_true 60 together_again && early_ticket && early_is accepted left "new secret"; }

[ -d /sys/module/ktls ] || insmod "$VM_MODULE" || exit
! pgrep -x ktlsd > /dev/null || "$agent" stop > /dev/null
try "two namespaces" machines
openssl rand -hex 32 > secret
web left && web right
serve $door "$top/selftests/peers/balance.py" $door $address_left:443 $address_right:443
config client
try "the client's agent" start client
[ $failures = 0 ] || done_testing
try "own keys: nothing is shared" own_keys
no_agents
shares "a file" "ticket-secret = $work/secret"
no_agents
if have redis-server; then
	try "redis-server" redis
	shares "Redis" "ticket-redis = $work/redis.sock" "early-data = 1000"
	redis_comes_and_goes
	early_data
	no_agents
else
	skip "Redis" "redis-server is not installed"
fi
end client
kill "${servers[@]}" 2> /dev/null
no_machines
try "no session, upcall or channel is left" idle
done_testing
