#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A million points of metrics: from JSON lines to durable, what they take on disk, and
# reading them back.  Needs sqlite3; python3 reading the same lines is the rival.
. "$(dirname "$0")/lib.sh"

command -v sqlite3 >/dev/null || { echo 'no sqlite3: skipped' >&2; exit 0; }
mlp -q init

# lines FORMAT: 250,000 lines of 4 metrics, losses as FORMAT prints them.
lines()
{
	awk -v f="$1" 'BEGIN {
		srand(7)
		t = 1763000000
		for (i = 0; i < 250000; i++) {
			t += 0.08 + rand() / 100
			printf "{\"step\": %d, \"time\": %.3f, \"train/loss\": " f ", \"val/loss\": " f \
				", \"lr\": %.6g, \"grad_norm\": %.4f}\n", i, t,
				2.5 / (1 + i / 5000) + rand() / 20, 2.6 / (1 + i / 5000) + rand() / 20,
				1e-3 * (1 - i / 250000), 1 + rand()
		}
	}'
}

# record FORMAT: a run of its own for each.
record()
{
	lines "$1" >lines
	rm -rf .mlp
	mlp -q init
	sqlite3 .mlp/mlp.db "INSERT INTO run(uuid, experiment_id, name, user, status, started_ms)
		VALUES('0195c0de0000700080000000000000aa', 0, 'one', 'u', 1, 1)"
	cpu 1 sh -c 'exec mlp record metric --run one - <lines'
	sqlite3 .mlp/mlp.db 'SELECT CASE WHEN sum(points) <> 1000000 THEN 0 ELSE 1 END FROM metric' |
		grep -q 1 || { echo 'points are missing' >&2; exit 1; }
}

bytes_a_point()
{
	sqlite3 .mlp/mlp.db "SELECT printf('%.2f', total(length(c.data)) / total(c.points))
		FROM metric_chunk c JOIN metric_key k ON k.id = c.key_id WHERE k.name LIKE '$1'"
}

record %.17g
rival=0
if command -v python3 >/dev/null
then
	cp lines python.lines
	us=$cpu_us
	cpu 1 python3 -c 'import json
for line in open("python.lines"): json.loads(line)'
	rival=$cpu_us
	cpu_us=$us
fi
budget '1,000,000 points, doubles' "$cpu_us" 1000000 'python3 json.loads alone' "$rival"
row '  noisy doubles' "$(bytes_a_point %/loss) bytes" 'a point, chunks'
row '  store' "$(du -sk .mlp | awk '{ printf "%.1f MiB", $1 / 1024 }')" "lines: $(du -sk lines |
	awk '{ printf "%.1f MiB", $1 / 1024 }')"
record %.4f
budget '1,000,000 points, 4 digits' "$cpu_us" 1000000
row '  4-digit decimals' "$(bytes_a_point %/loss) bytes" 'a point, chunks'
row '  grad_norm, 4 digits of noise' "$(bytes_a_point grad_norm) bytes"
row '  learning rate' "$(bytes_a_point lr) bytes"

perf_done
