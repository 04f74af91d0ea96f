#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp log on 100,000 runs of 20 metrics and 20 parameters each, made by SQL.
# Usage: p0300-log.sh BUILD-FOLDER [RUNS]
. "$(dirname "$0")/lib.sh"

runs=${2:-100000}
command -v sqlite3 >/dev/null || { echo "no sqlite3" >&2; exit 77; }

mlp -q init
sqlite3 .mlp/mlp.db <<EOF
PRAGMA synchronous = OFF;
BEGIN;
INSERT INTO experiment(id, name, created_ms, updated_ms)
  VALUES(1, 'credit', 0, 0), (2, 'churn', 0, 0);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $runs)
  INSERT INTO run(id, uuid, experiment_id, name, user, status, started_ms, ended_ms, host)
  SELECT i, printf('%016x%016x', 1750000000000 + i * 60000,
                   (i * 2654435761) & 0x7fffffffffffffff),
         i % 3, printf('run-%d', i), 'ann', 3 + (i % 7 = 0), 1750000000000 + i * 60000,
         1750000000000 + i * 60000 + i * 7919 % 600000, 'node1' FROM n;
WITH RECURSIVE k(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM k WHERE j < 19)
  INSERT INTO metric_key(name) SELECT printf('metric%02d', j) FROM k;
INSERT INTO metric
  SELECT r.id, k.id, 100, r.ended_ms, ((r.id * 7919 + k.id * 104729) % 100003) / 100003.0, 100
  FROM run r CROSS JOIN metric_key k;
WITH RECURSIVE k(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM k WHERE j < 19)
  INSERT INTO param
  SELECT r.id, printf('param%02d', j), ((r.id * 31 + j * 17) % 1000) / 1000.0
  FROM run r CROSS JOIN k;
INSERT INTO tag SELECT id, 'mlflow.runName', name FROM run;
COMMIT;
EOF
row 'runs, 20 metrics and 20 parameters each' "$runs"

# timed LIMIT-IN-MICROSECONDS (0: none) NAME ARGUMENT...
timed()
{
	limit=$1 name=$2
	shift 2
	cpu 9 mlp -q log "$@"
	if test "$limit" -gt 0
	then
		budget "$name" "$cpu_us" "$limit"
	else
		row "$name" "$(ms "$cpu_us")"
	fi
}

cpu 9 mlp log 2>"$work/notes"
budget 'mlp log, with the count of all runs' "$cpu_us" 10000
timed 10000 'mlp log -e EXPERIMENT' -e credit
timed 10000 'mlp log --live' --live
timed 10000 'mlp log -w "name = ..."' -w "name = 'run-5'"
timed 0 'mlp log -w, 1 of 1,000 runs by a metric' -w 'metrics.metric03 > 0.999'
timed 0 'mlp log -w, no run by a metric' -w 'metrics.metric03 > 2'
timed 0 'mlp log -w, no run by a number as parameter' -w 'params.param03 > 2'
timed 0 'mlp log -s METRIC' -s -metric03
timed 0 'mlp log --json -n 1000' --json -n 1000
perf_done
