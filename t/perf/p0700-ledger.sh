#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the usage ledger costs a second, with a driver that answers at once.  Goal: at
# most 0.1 % of a core at 1 Hz with 8 GPUs, writes included.
# Usage: p0700-ledger.sh BUILD-FOLDER [SECONDS]
set -eu

build=$(cd "${1:?the build folder}" && pwd)
bench=$build/t/perf/bench-ledger
test -x "$bench" || { echo "make t/perf/bench-ledger first" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/mlp-perf.XXXXXX")
trap 'rm -rf "$work"' EXIT

FAKENVML=$work/gpus
MLP_NVML_LIB=$build/t/fakenvml/.libs/libfakenvml.so
export FAKENVML MLP_NVML_LIB
for i in 0 1 2 3 4 5 6 7
do
	echo "gpu $i watts=700 util=90 used=1000"
	echo "process $i pid=1 memory=1000 sm=90"
done >"$FAKENVML"

printf '%-24s %12s %12s %12s\n' 'seconds played' 'us/second' 'us/write' '% of a core'
for n in 1 8
do
	"$bench" $n "${2:-600}" "$work/$n.db" >"$work/result"
	awk -v n=$n '{ printf "%-24s %12.1f %12.1f %12.4f\n", n " GPUs", $1, $2, $1 / 10000 }' \
		"$work/result"
done
