#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# style.sh: what a script can hold of our style, as TAP. Function lengths come
# from universal-ctags; tables aren't functions, so they may be long.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
max_function=60 max_file=600 max_test=800
n=0
echo "1..5"

# report NAME LIST: ok if the list is empty.
report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' <<< "$2"
		bad=1
	fi
}

files() { git ls-files -- "$@" 2> /dev/null | while read -r f; do [ -f "$f" ] && echo "$f"; done; }
mapfile -t sources < <(files '*.c' '*.h' '*.S')
mapfile -t ours < <(files '*.c' '*.h' '*.S' '*.sh' '*.mk' '*.py' Makefile kmod/Kbuild .ci/run)

licence() {
	local f want
	for f in "${ours[@]}"; do
		case $f in
		kmod/uapi/*) want='(GPL-2.0 WITH Linux-syscall-note) OR MIT' ;;
		kmod/*) want='GPL-2.0-only' ;;
		libktls/*) want='LGPL-2.1-or-later' ;;
		*) want='GPL-2.0-or-later' ;;
		esac
		head -2 "$f" | grep -qF "SPDX-License-Identifier: $want" || echo "$f: wants $want"
	done
}

long_functions() {
	ctags -o - --languages=C --kinds-C=f --fields=+ne --output-format=u-ctags "${sources[@]}" 2> /dev/null |
		awk -F '\t' -v max=$max_function '
		/^!/ { next }
		{ line = end = 0
		  for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) line = substr($i, 6)
			if ($i ~ /^end:/) end = substr($i, 5)
		  }
		  if (end - line + 1 > max) print $2 ": " $1 " has " end - line + 1 " lines" }'
}

long_files() {
	wc -l "${sources[@]}" | awk -v code=$max_file -v test=$max_test '
		{ max = $2 ~ /^selftests\// ? test : code }
		$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

# The words are split here so that this file doesn't find itself.
unfinished() { grep -nE "\b(TO""DO|FIX""ME|XX""X)\b" "${ours[@]}"; }

trailing_blanks() { grep -nE '[ 	]+$' "${ours[@]}"; }

report "each file names its licence" "$(licence)"
report "no function is longer than $max_function lines" "$(long_functions)"
report "no file is longer than $max_file lines, no test than $max_test" "$(long_files)"
report "nothing is marked as unfinished" "$(unfinished)"
report "no line ends in blanks" "$(trailing_blanks)"
exit ${bad:-0}
