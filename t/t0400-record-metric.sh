#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp record: what scripts add to a run.
. "${srcdir:-.}/t/test-lib.sh"

# latest KEY: "step value points" of a metric of the newest run.
test_require SQLITE3
latest()
{
	sqlite3 .mlp/mlp.db "SELECT m.step, m.value, m.points FROM metric m
		JOIN metric_key k ON k.id = m.key_id WHERE k.name = '$1' ORDER BY m.run_id DESC LIMIT 1"
}
stored()
{
	sqlite3 .mlp/mlp.db "$1"
}

test_expect_success 'a project with a run' '
	mlp init &&
	stored "INSERT INTO run(uuid, experiment_id, name, user, status, started_ms)
		VALUES('\''0195c0de0000700080000000000000aa'\'', 0, '\''one'\'', '\''u'\'', 1, 1)"
'

test_expect_success 'without a run it says what to do' '
	test_expect_code 128 mlp record metric loss=1 2>err &&
	test_grep "no run to record to" err &&
	test_grep "hint: .*--run" err
'

MLP_RUN_ID=0195c0de0000700080000000000000aa
export MLP_RUN_ID

test_expect_success 'metrics of the run in MLP_RUN_ID' '
	mlp record metric loss=0.5 acc=0.9 >out &&
	test_must_be_empty out &&
	test "$(latest loss)" = "0|0.5|1" &&
	test "$(latest acc)" = "0|0.9|1"
'

test_expect_success 'the step is the next one, or the one given' '
	mlp record metric loss=0.25 &&
	test "$(latest loss)" = "1|0.25|2" &&
	mlp record metric --step 100 loss=0.125 &&
	mlp record metric loss=NaN &&
	test "$(latest loss)" = "101||4" &&
	mlp record metric --step -5 loss=-Infinity &&
	test "$(latest loss)" = "101||5"
'

test_expect_success 'a time, in the ways people and programs write it' '
	mlp record metric --time 2026-01-02T03:04:05Z t1=1 &&
	mlp record metric --time @1767323045.25 t2=1 &&
	stored "SELECT m.time_ms FROM metric m JOIN metric_key k ON k.id = m.key_id
		WHERE k.name LIKE '\''t_'\'' ORDER BY k.name" >act &&
	test_write_lines 1767323045000 1767323045250 >exp &&
	test_cmp exp act
'

test_expect_success 'a run by name, outside of it' '
	(unset MLP_RUN_ID && mlp record metric --run one other=3) &&
	test "$(latest other)" = "0|3.0|1"
'

test_expect_success 'what is no metric adds nothing' '
	test_expect_code 128 mlp record metric good=1 bad=x 2>err &&
	test_grep "metric .bad.: .x. is not a number" err &&
	test -z "$(latest good)" &&
	test_expect_code 128 mlp record metric good=1 ../x=1 2>err &&
	test_grep "cannot name a metric" err &&
	test -z "$(latest good)" &&
	test_expect_code 129 mlp record metric loss 2>err &&
	test_expect_code 129 mlp record metric =1 2>err &&
	test_expect_code 129 mlp record metric --step 1.5 loss=1 2>err &&
	test_expect_code 129 mlp record metric --time noon loss=1 2>err &&
	test_expect_code 129 mlp record metric 2>err
'

test_expect_success 'JSON lines from standard input' '
	cat >lines <<-\END &&
	{"step": 1, "train": {"loss": 0.5, "note": "x"}, "lr": 1e-3}
	not json
	{"train": {"loss": 0.25}, "lr": 1e-4, "step": 2, "mAP@0.5": NaN}
	END
	mlp record metric - <lines 2>err &&
	test_grep "no JSON object: 1, the first is .not json." err &&
	test "$(latest train/loss)" = "2|0.25|2" &&
	test "$(latest lr)" = "2|0.0001|2" &&
	test "$(latest mAP_0.5)" = "2||1" &&
	printf "{\"counted\": 1}\n{\"counted\": 2}" | mlp record metric - &&
	test "$(latest counted)" = "1|2.0|2" &&
	echo nothing | test_expect_code 128 mlp record metric - 2>err &&
	test_grep "no line is a JSON object" err
'

test_expect_success 'points of a stream are there while it goes on' '
	mkfifo pipe &&
	{ mlp record metric - <pipe & } && pid=$! &&
	exec 9>pipe &&
	echo "{\"live\": 7}" >&9 &&
	test_wait_for 10 sh -c "test -n \"\$(sqlite3 .mlp/mlp.db \
		\"SELECT 1 FROM metric_key WHERE name = '\''live'\''\")\"" &&
	exec 9>&- &&
	wait $pid
'

test_expect_success 'parameters do not change' '
	mlp record param lr=0.1 "note=a = b" &&
	mlp record param lr=0.1 &&
	test_expect_code 128 mlp record param new=1 lr=0.2 2>err &&
	test_grep "lr" err &&
	stored "SELECT key, value FROM param ORDER BY key" >act &&
	test_write_lines "lr|0.1" "note|a = b" >exp &&
	test_cmp exp act
'

test_expect_success 'tags do' '
	mlp record tag stage=warm kind=cnn &&
	mlp record tag stage=done &&
	test "$(stored "SELECT value FROM tag WHERE key = '\''stage'\''")" = done
'

test_expect_success 'files and folders as artifacts' '
	mkdir -p model/sub &&
	echo weights >model/w.bin &&
	echo more >model/sub/x &&
	echo alone >alone.txt &&
	mlp record artifact model/ alone.txt &&
	mlp record artifact --name plots/final.txt alone.txt &&
	stored "SELECT path, size, stored FROM run_file WHERE role = 3 ORDER BY path" >act &&
	test_write_lines "alone.txt|6|1" "model/sub/x|5|1" "model/w.bin|8|1" "plots/final.txt|6|1" \
		>exp &&
	test_cmp exp act &&
	test_expect_code 3 mlp record artifact absent 2>err &&
	test_expect_code 128 mlp record artifact --name ../up alone.txt 2>err &&
	test_expect_code 129 mlp record artifact --name x alone.txt model 2>err
'

test_expect_success 'what is no file is no artifact, and an empty folder is said' '
	mkfifo odd.pipe && for f in odd.pipe /dev/zero
	do
		test_expect_code 128 mlp record artifact "$f" 2>err &&
		test_grep "neither a file nor a folder" err || return 1
	done &&
	mkdir odd.dir && mlp record artifact odd.dir 2>err && test_grep "has no files" err &&
	test "$(stored "SELECT count(*) FROM run_file WHERE role = 3 AND (path LIKE '\''odd%'\'' OR path = '\''zero'\'')")" = 0
'

test_expect_success 'each table of the store is in its manual page' '
	stored "SELECT name FROM sqlite_schema WHERE type = '\''table'\'' AND name NOT LIKE '\''sqlite%'\''" |
		LC_ALL=C sort >exp &&
	sed -n "s/^\.It Sy //p" "$TEST_SOURCE/man/mlp-format-db.5" | LC_ALL=C sort >act &&
	test_cmp exp act
'

test_expect_success 'twenty scripts at once lose nothing' '
	pids= &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
	do
		{ mlp record metric race=$i & } && pids="$pids $!" || return 1
	done &&
	for pid in $pids
	do
		wait $pid || return 1
	done &&
	case "$(latest race)" in "19|"*"|20") ;; *) false ;; esac
'

test_done
