#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp import mlflow: a million points from an mlflow.db, of one run and of a hundred that
# recorded at the same time; again, when all is known; and from mlruns/.  Needs sqlite3.
. "$(dirname "$0")/lib.sh"

command -v sqlite3 >/dev/null || { echo 'no sqlite3: skipped' >&2; exit 0; }

# database FILE RUNS: a million points of 10 metrics, in the order of time.
database()
{
	sqlite3 "$1" <<END
CREATE TABLE alembic_version(version_num);
CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name, artifact_location, lifecycle_stage);
CREATE TABLE runs(run_uuid VARCHAR(32) PRIMARY KEY, name, user_id, status, start_time, end_time,
	lifecycle_stage, artifact_uri, experiment_id INTEGER);
CREATE TABLE params(key, value, run_uuid);
CREATE TABLE tags(key, value, run_uuid);
CREATE TABLE metrics(key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32),
	step BIGINT, is_nan BOOLEAN, PRIMARY KEY(key, timestamp, step, run_uuid, value, is_nan));
CREATE INDEX index_params_run_uuid ON params(run_uuid);
CREATE INDEX index_tags_run_uuid ON tags(run_uuid);
INSERT INTO experiments VALUES(1, 'one', '', 'active');
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $2 - 1)
INSERT INTO runs SELECT printf('%032x', i), 'run' || i, 'u', 'FINISHED', 1763000000000 + i,
	1763000900000, 'active', NULL, 1 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
INSERT INTO metrics SELECT 'train/metric_' || (i % 10),
	2.5 / (1 + i / 50000.0) + (random() % 1000000) / 2e7, 1763000000000 + i / 10 * 100,
	printf('%032x', i / 10 % $2), i / 10 / $2, 0 FROM n;
CREATE INDEX index_metrics_run_uuid ON metrics(run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics(run_uuid, key, step);
END
}

# import SRC: into a new project.
import()
{
	rm -rf .mlp
	mlp -q init
	cpu 1 mlp import mlflow "$1"
	sqlite3 .mlp/mlp.db 'SELECT sum(points) = 1000000 FROM metric' | grep -q 1 ||
		{ echo 'points are missing' >&2; exit 1; }
}

database one.db 1
database hundred.db 100
import one.db
budget '1,000,000 points of 1 run' "$cpu_us" 2000000
row '  store' "$(du -sk .mlp | awk '{ printf "%.1f MiB", $1 / 1024 }')" \
	"mlflow.db: $(du -sk one.db | awk '{ printf "%.1f MiB", $1 / 1024 }')"
cpu 1 mlp import mlflow one.db
row '  again' "$(ms "$cpu_us")" 'all is known'
import hundred.db
budget '1,000,000 points of 100 runs' "$cpu_us" 2000000
mkdir -p files/1/run/metrics/train
printf 'name: one\n' >files/1/meta.yaml
printf 'status: 3\nstart_time: 1763000000000\n' >files/1/run/meta.yaml
sqlite3 -separator ' ' one.db "SELECT DISTINCT key FROM metrics" | while read -r key
do
	sqlite3 -separator ' ' one.db "SELECT timestamp, value, step FROM metrics WHERE key = '$key'" \
		>"files/1/run/metrics/$key"
done
import files
budget '1,000,000 points of mlruns/' "$cpu_us" 2000000
perf_done
