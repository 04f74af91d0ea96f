#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The object store: bytes hashed and stored a second beside sha256sum and OpenSSL, and
# many small files beside git.  Goal: 1.2 GB/s a core where the processor has SHA
# instructions, else what OpenSSL's own code reaches there.
# Usage: p0600-store.sh BUILD-FOLDER [MEGABYTES]
set -eu

build=$(cd "${1:?the build folder}" && pwd)
megabytes=${2:-512}
bench=$build/t/perf/bench-store
test -x "$bench" || { echo "make t/perf/bench-store first" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/mlp-perf.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

row() { printf '%-44s %10s  %s\n' "$1" "$2" "$3"; }
rate() { awk -v b="$1" -v ms="$2" 'BEGIN { printf "%.0f", b / 1e3 / (ms > 0 ? ms : 1) }'; }
# CPU milliseconds of a command's children, by the shell's own clock.
cpu_ms() {
	(
		"$@" >/dev/null
		times
	) | awk 'NR == 2 { split($0, f, /[ms ]+/)
		print int(1000 * (60 * f[1] + f[2] + 60 * f[3] + f[4])) }'
}

# Sets bytes, files, cpu, wall.
measure() {
	(cd "$1" && "$bench" "$2" "../$3") >result
	read -r bytes files cpu wall <result
}

# Bytes that do not compress, so that no layer below takes a short cut.
openssl enc -aes-128-ctr -pass pass:mlp -nosalt -pbkdf2 </dev/zero 2>/dev/null |
	head -c "${megabytes}000000" >big
cat big >/dev/null

grep -q sha_ni /proc/cpuinfo && sha=yes || sha=no
echo "processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), SHA instructions: $sha"
row 'what' 'MB/s CPU' ''
ossl=$(openssl speed -evp sha256 -bytes 65536 -seconds 2 2>/dev/null |
	awk '$1 == "sha256" { sub("k", "", $NF); printf "%.0f", $NF / 1000 }')
row 'openssl speed, in memory' "$ossl" ''
row 'sha256sum' "$(rate "${megabytes}000000" "$(cpu_ms sha256sum big)")" ''
mkdir a b
measure a hash big
mlp=$(rate "$bytes" "$cpu")
row 'mlp: hash a file' "$mlp" "$(awk -v a="$mlp" -v b="$ossl" 'BEGIN { printf "%.0f %% of openssl", 100 * a / b }')"
measure b put big
row 'mlp: store it (one read, durable)' "$(rate "$bytes" "$cpu")" "$wall ms in all"
measure b put big
row 'mlp: store it again' "$(rate "$bytes" "$cpu")" "$wall ms in all"

mkdir c d many
seq 10000 | awk '{ print "file " $1 > "many/f" $1; close("many/f" $1) }'
row 'many small files' 'files/s' ''
measure c scan many
row 'mlp: hash 10,000 files' "$(awk -v n="$files" -v ms="$wall" 'BEGIN { printf "%.0f", n / ms * 1e3 }')" "$cpu ms CPU"
measure d store many
row 'mlp: store them, durable' "$(awk -v n="$files" -v ms="$wall" 'BEGIN { printf "%.0f", n / ms * 1e3 }')" "$cpu ms CPU"
if command -v git >/dev/null; then
	git init -q many
	start=$(date +%s%N)
	git -C many -c core.fsync=loose-object -c core.fsyncMethod=batch add -A
	end=$(date +%s%N)
	row 'git add of them, with batched fsync' \
		"$(awk -v ns="$((end - start))" 'BEGIN { printf "%.0f", 10000 / ns * 1e9 }')" ''
fi
