# SPDX-License-Identifier: Apache-2.0
# For t/perf/p*.sh BUILD-FOLDER: a folder to work in, and rows of a table.
# shellcheck shell=sh disable=SC2034
set -eu
build=$(cd "${1:?usage: $0 BUILD-FOLDER}" && pwd)
PATH=$build:$PATH
MLP_CONFIG_SYSTEM=/dev/null MLP_CONFIG_GLOBAL=/dev/null LC_ALL=C.UTF-8
export PATH MLP_CONFIG_SYSTEM MLP_CONFIG_GLOBAL LC_ALL
test -x "$build/t/perf/cputime" || make -s -C "$build" t/perf/cputime >/dev/null
work=$(mktemp -d "${TMPDIR:-/tmp}/mlp-perf.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/here"
cd "$work/here"
perf_missed=0

# cpu N COMMAND...: sets cpu_us and wall_us, medians of N runs, and rss_kib.
cpu()
{
	"$build/t/perf/cputime" "$@" >"$work/cpu.out"
	read -r cpu_us wall_us rss_kib <"$work/cpu.out"
}

ms()
{
	awk -v us="$1" 'BEGIN { printf "%.2f ms", us / 1000 }'
}

# row WHAT VALUE [NOTE]
row()
{
	printf '%-44s %12s  %s\n' "$1" "$2" "${3-}"
}

# budget WHAT MICROSECONDS LIMIT [RIVAL RIVAL-MICROSECONDS]: a row that says whether it
# is met.  The limit is for 2 Zen 3 cores; the rival shows what this machine makes of it.
budget()
{
	perf_note="budget $(ms "$3")"
	if test $# = 5
	then
		perf_note="$perf_note, $4 $(ms "$5"), ratio $(awk -v a="$2" -v b="$5" \
			'BEGIN { printf "%.2f", b ? a / b : 0 }')"
	fi
	if test "$2" -gt "$3"
	then
		perf_note="$perf_note  MISSED"
		perf_missed=$((perf_missed + 1))
	fi
	row "$1" "$(ms "$2")" "$perf_note"
}

# limit WHAT NUMBER LIMIT [UNIT]: the same for what is no time.
limit()
{
	if test "$2" -gt "$3"
	then
		row "$1" "$2 ${4-}" "budget $3  MISSED"
		perf_missed=$((perf_missed + 1))
	else
		row "$1" "$2 ${4-}" "budget $3"
	fi
}

# Ends a measurement: 1 when a budget was missed.
perf_done()
{
	test "$perf_missed" = 0
}
