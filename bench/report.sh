#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# report.sh: one table out of what the benches left in build/bench, as text
# (bench.txt) and JSON (bench.json), and docs/PERFORMANCE.md with its plot. What
# has not been measured is named, not filled in.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=build/bench
PATH_TEXT="Under qemu -icount on Debian's kernel: plain TCP; net/tls with the kernel's AES-NI code
and TLS_RX_EXPECT_NO_PAD; ktls with its own AES-NI code (the emulator has no VPCLMULQDQ).
\"More\" is what is left without TCP and the cipher; packets are those on the loopback
device, acknowledgements among them, in the same order. TCP copies what it is given, which
net/tls and ktls don't: both encrypt from the caller's memory and decrypt into it, so that
what they do more can be less than nothing. No two pages of sendfile's file are in a row in memory."

conditions() {
	echo "$(date -u +%F),$(sed -n 's/^model name[^:]*://p' /proc/cpuinfo | head -1)," \
		"$(nproc) processors, load${LOAD:+ $LOAD at the start,} $(cut -d' ' -f1 /proc/loadavg) at the end," \
		"OpenSSL $(openssl version | cut -d' ' -f2)"
}

cipher_rows() {
	jq -r '.[] | [.alg, .op, .size, .impl, (.gbps * 100 | round / 100), (.cycles_per_byte * 1000 | round / 1000),
		(.ratio_openssl * 100 | round / 100)] | @tsv' $dir/cipher.json
}

path_rows() { # SERIES
	jq -r '.[] | [.op, .size, .tcp, .nettls, .ktls, (.ktls_over_nettls * 1000 | round / 1000),
		.nettls_overhead, .ktls_overhead, (.overhead_ratio * 1000 | round / 1000),
		"\(.packets_tcp) \(.packets_nettls) \(.packets_ktls)"] | @tsv' "$dir/path-$1.json"
}

uml_rows() {
	jq -r '.[] | [.op, .size, .nettls_mbs, .ktls_mbs, (.ratio * 100 | round / 100)] | @tsv' $dir/uml.json
}

# What the figures shall be.
# name | file | jq expression for the figure | aim | le or ge
AIMS='
AES-128 16 KiB, VAES over OpenSSL|cipher|over("aes-128-gcm"; 16384; "ktls-vaes256"; "openssl")|2.2|ge
AES-256 16 KiB, VAES over OpenSSL|cipher|over("aes-256-gcm"; 16384; "ktls-vaes256"; "openssl")|2.05|ge
AES-128 16 KiB, VAES over Linux 6.12|cipher|over("aes-128-gcm"; 16384; "ktls-vaes256"; "linux-6.12")|1.95|ge
AES-256 16 KiB, VAES over Linux 6.12|cipher|over("aes-256-gcm"; 16384; "ktls-vaes256"; "linux-6.12")|1.9|ge
AES-128 16 KiB, VAES, cycles per byte|cipher|cycles("aes-128-gcm")|0.355|le
AES-256 16 KiB, VAES, cycles per byte|cipher|cycles("aes-256-gcm")|0.410|le
AES-128 16 KiB, AES-NI over Linux 6.12|cipher|over("aes-128-gcm"; 16384; "ktls-aesni"; "linux-6.12")|1|ge
AES-256 16 KiB, AES-NI over Linux 6.12|cipher|over("aes-256-gcm"; 16384; "ktls-aesni"; "linux-6.12")|1|ge
AES-128 16 KiB, AES-NI over OpenSSL|cipher|over("aes-128-gcm"; 16384; "ktls-aesni"; "openssl")|1.1|ge
AES-256 16 KiB, AES-NI over OpenSSL|cipher|over("aes-256-gcm"; 16384; "ktls-aesni"; "openssl")|1.1|ge
AES-128 1420 bytes, VAES over OpenSSL|cipher|over("aes-128-gcm"; 1420; "ktls-vaes256"; "openssl")|3.5|ge
AES-256 1420 bytes, VAES over OpenSSL|cipher|over("aes-256-gcm"; 1420; "ktls-vaes256"; "openssl")|3.5|ge
AES-128 256 bytes, VAES over OpenSSL|cipher|over("aes-128-gcm"; 256; "ktls-vaes256"; "openssl")|6|ge
AES-256 256 bytes, VAES over OpenSSL|cipher|over("aes-256-gcm"; 256; "ktls-vaes256"; "openssl")|6|ge
6.12: 64 KiB send over net/tls|path-6.12|all("send")|0.72|le
6.1: 64 KiB send over net/tls|path-6.1|all("send")|0.80|le
6.12: 64 KiB sendfile over net/tls|path-6.12|all("sendfile")|0.78|le
6.1: 64 KiB sendfile over net/tls|path-6.1|all("sendfile")|1|le
User Mode Linux, TX over net/tls|uml|real("sendfile")|1.2|ge
User Mode Linux, RX over net/tls|uml|real("recv")|1.2|ge
'
AIM_TERMS='
def rate(a; s; i): [.[] | select(.alg == a and .size == s and .impl == i) | { (.op): .gbps }] | add;
def over(a; s; x; y): rate(a; s; x) as $x | rate(a; s; y) as $y |
	[$x | keys[] as $op | $x[$op] / $y[$op]] | min;
def cycles(a): [.[] | select(.alg == a and .size == 16384 and .impl == "ktls-vaes256").cycles_per_byte] | max;
def row(o; s): .[] | select(.op == o and .size == s);
def more(o; s): row(o; s).overhead_ratio;
def all(o): row(o; 65536).ktls_over_nettls;
def real(o): .[] | select(.op == o).ratio;
'

# More aims of that form: a call's instructions beyond TCP and the cipher, over net/tls's.
more_aims() {
	local k op aim size
	for k in 6.12 6.1; do
		while read -r op aim; do
			for size in 1 16384 65536; do
				echo "$k: more than TCP and cipher, $op $size B|path-$k|more(\"$op\"; $size)|$aim|le"
			done
		done <<< $'send 0.25\nsendfile 0.25\nrecv 0.35\nsplice 0.35'
	done
}

aim_rows() {
	local name file term aim how
	while IFS='|' read -r name file term aim how; do
		[ -n "$name" ] && [ -s "$dir/$file.json" ] || continue
		jq -r --arg n "$name" --argjson a "$aim" --arg h "$how" "$AIM_TERMS"'
			('"$term"') as $v | [$n, ($v * 1000 | round / 1000),
			(if $h == "ge" then "at least " else "at most " end) + ($a | tostring),
			(if ($h == "ge" and $v >= $a) or ($h == "le" and $v <= $a) then "yes" else "no" end)] | @tsv' \
			"$dir/$file.json" 2> /dev/null || printf '%s\t-\t%s\tnot measured\n' "$name" "$aim"
	done <<< "$AIMS$(more_aims)"
}

table() { # HEADINGS...; rows come on stdin
	local h
	printf '|'; printf ' %s |' "$@"; echo
	printf '|'; for h; do printf -- '---|'; done; echo
	sed 's/\t/ | /g; s/^/| /; s/$/ |/'
}

# section FILE TITLE TEXT ROWS HEADINGS...
section() {
	local file=$1 title=$2 text=$3 rows=$4
	shift 4
	printf '\n## %s\n\n' "$title"
	if [ ! -s "$file" ]; then
		echo "Not measured in this run."
		return
	fi
	printf '%s\n\n' "$text"
	$rows | table "$@"
}

document() {
	local k
	echo "# Performance"
	printf '\nThe last measurements; `make bench` makes all of them. %s.\nTrust ratios and instruction counts, not single speeds.\n' "$(conditions)"
	[ ! -s $dir/failed ] || printf '\nParts that failed in this run: %s.\n' "$(paste -sd' ' $dir/failed)"
	printf '\n## Aims\n\nThe worse of seal and open where both are measured.\n\n'
	aim_rows | table figure measured aim reached
	section $dir/cipher.json "AES-GCM in user space" \
		"Clean values: the 10th percentile of many short windows in turns. The last column is times OpenSSL's EVP." \
		cipher_rows cipher operation bytes code GB/s cycles/byte ratio
	[ ! -s docs/throughput.svg ] || printf '\n![AES-128-GCM, sealing, GB/s by record size](throughput.svg)\n'
	for k in 6.12 6.1; do
		section "$dir/path-$k.json" "Instructions per call, Linux $k" \
			"$PATH_TEXT" \
			"path_rows $k" call bytes TCP net/tls ktls ratio "net/tls more" "ktls more" ratio packets
	done
	section $dir/uml.json "User Mode Linux, real time" \
		"Our AES-GCM under both, in one release kernel: sendfile of 64 MiB to a receiver that drops it; recv by 1 MiB of records made before." \
		uml_rows call bytes "net/tls MB/s" "ktls MB/s" ratio
	printf '\n## Memory\n\n'
	for k in 6.12 6.1; do
		if [ -s "$dir/memory-$k.txt" ]; then
			echo "Linux $k: $(tail -1 "$dir/memory-$k.txt")."
		else
			echo "Linux $k: not measured in this run."
		fi
	done
}

plot() {
	command -v gnuplot > /dev/null && [ -s $dir/cipher.json ] || return 0
	local impl between=
	for impl in $(jq -r '[.[].impl] | unique[]' $dir/cipher.json); do
		printf '%s"%s"\n' "$between" "$impl"
		between=$'\n\n'
		jq -r --arg i "$impl" '[.[] | select(.impl == $i and .alg == "aes-128-gcm" and .op == "seal")] |
			sort_by(.size)[] | "\(.size) \(.gbps)"' $dir/cipher.json
	done > $dir/throughput.dat
	mkdir -p docs
	gnuplot <<-EOF
		set terminal svg size 720,420 noenhanced
		set output "docs/throughput.svg"
		set title "AES-128-GCM, sealing"
		set xlabel "bytes in a record"
		set ylabel "GB/s"
		set logscale x 2
		set key left top
		stats "$dir/throughput.dat" using 1 nooutput
		plot for [i=0:STATS_blocks-1] "$dir/throughput.dat" index i using 1:2 with linespoints title columnheader(1)
	EOF
}

json() {
	local f
	for f in cipher path-6.12 path-6.1 uml; do
		[ ! -s "$dir/$f.json" ] || jq --arg k "$f" '{ ($k): . }' "$dir/$f.json"
	done | jq -s 'add'
}

plot
mkdir -p docs
document > docs/PERFORMANCE.md
cp docs/PERFORMANCE.md $dir/bench.txt
json > $dir/bench.json
echo "$dir/bench.txt, $dir/bench.json, docs/PERFORMANCE.md"
