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
\"More\" is what is left without TCP and the cipher. TCP and ktls copy what they are given;
net/tls encrypts from the caller's pages and receives into them, which counts for it in sends
and receives of 16 KiB."

conditions() {
	echo "$(date -u +%F),$(sed -n 's/^model name[^:]*://p' /proc/cpuinfo | head -1)," \
		"$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) at the end," \
		"OpenSSL $(openssl version | cut -d' ' -f2)"
}

cipher_rows() {
	jq -r '.[] | [.alg, .op, .size, .impl, (.gbps * 100 | round / 100), (.cycles_per_byte * 1000 | round / 1000),
		(.ratio_openssl * 100 | round / 100)] | @tsv' $dir/cipher.json
}

path_rows() { # SERIES
	jq -r '.[] | [.op, .size, .tcp, .nettls, .ktls, (.ktls_over_nettls * 1000 | round / 1000),
		.nettls_overhead, .ktls_overhead, (.overhead_ratio * 1000 | round / 1000)] | @tsv' "$dir/path-$1.json"
}

uml_rows() {
	jq -r '.[] | [.op, .size, .nettls_mbs, .ktls_mbs, (.ratio * 100 | round / 100)] | @tsv' $dir/uml.json
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
	section $dir/cipher.json "AES-GCM in user space" \
		"Clean values: the 10th percentile of many short windows in turns. The last column is times OpenSSL's EVP." \
		cipher_rows cipher operation bytes code GB/s cycles/byte ratio
	[ ! -s docs/throughput.svg ] || printf '\n![AES-128-GCM, sealing, GB/s by record size](throughput.svg)\n'
	for k in 6.12 6.1; do
		section "$dir/path-$k.json" "Instructions per call, Linux $k" \
			"$PATH_TEXT" \
			"path_rows $k" call bytes TCP net/tls ktls ratio "net/tls more" "ktls more" ratio
	done
	section $dir/uml.json "User Mode Linux, real time" "The same AES-GCM under both." \
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
	local impl
	for impl in $(jq -r '[.[].impl] | unique[]' $dir/cipher.json); do
		echo "\"$impl\""
		jq -r --arg i "$impl" '[.[] | select(.impl == $i and .alg == "aes-128-gcm" and .op == "seal")] |
			sort_by(.size)[] | "\(.size) \(.gbps)"' $dir/cipher.json
		printf '\n\n'
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
