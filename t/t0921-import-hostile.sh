#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp import mlflow: what somebody may have left in a folder or database, and imports that
# are killed.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3
test_require YAML

# folder NAME: an mlruns/ with one experiment and the run $run in $dir.
run=0123456789abcdef0123456789abcdef
folder()
{
	dir=$1/7/$run
	mkdir -p "$dir/params" "$dir/tags" "$dir/metrics" "$dir/artifacts" &&
	printf 'experiment_id: "7"\nname: seven\nlifecycle_stage: active\n' >"$1/7/meta.yaml" &&
	printf 'run_id: %s\nrun_name: one\nstatus: 3\nstart_time: 1763000000000\nend_time: 1763000001000\n' \
		$run >"$dir/meta.yaml" &&
	printf '1763000000000 0.5 1\n' >"$dir/metrics/loss"
}
project()
{
	rm -rf "$1" && mkdir "$1" && (cd "$1" && mlp init)
}
# taken SRC: imports it into a new project p; its store answers ask SQL.
taken()
{
	project p && (cd p && mlp import mlflow "../$1") >out 2>err
}
ask()
{
	sqlite3 -cmd ".timeout 20000" p/.mlp/mlp.db "$1"
}

test_expect_success 'what is no store of MLflow is refused' '
	project p &&
	mkdir empty && touch zero && printf "some text, and more of it\n" >text &&
	sqlite3 other.db "CREATE TABLE a(b)" &&
	sqlite3 early.db "CREATE TABLE alembic_version(v); CREATE TABLE experiments(a);
		CREATE TABLE runs(a); CREATE TABLE metrics(key); CREATE TABLE params(a); CREATE TABLE tags(a)" &&
	folder whole/mlruns &&
	cd p &&
	test_expect_code 128 mlp import mlflow ../empty 2>../err && test_grep "is not a folder of MLflow" ../err &&
	test_expect_code 128 mlp import mlflow ../whole 2>../err && test_grep "the folder to import is .*whole/mlruns" ../err &&
	test_expect_code 128 mlp import mlflow ../zero 2>../err && test_grep "is not a database of SQLite" ../err &&
	test_expect_code 128 mlp import mlflow ../text 2>../err && test_grep "is not a database of SQLite" ../err &&
	test_expect_code 128 mlp import mlflow ../other.db 2>../err && test_grep "it has no table .alembic_version." ../err &&
	test_expect_code 128 mlp import mlflow ../early.db 2>../err && test_grep "mlflow db upgrade" ../err &&
	test_expect_code 128 mlp import mlflow postgresql://host/db 2>../err && test_grep "neither a folder nor a file" ../err &&
	test_expect_code 3 mlp import mlflow ../nowhere 2>../err && test_grep "no such file" ../err &&
	test_expect_code 128 mlp import mlflow .mlp/mlp.db 2>../err && test_grep "is not a database of MLflow" ../err
'
test_expect_success 'nothing outside of the folder is read' '
	mkdir secret && echo secret >secret/key &&
	folder out1 &&
	ln -s "$TRASH/secret" "$dir/artifacts/folder" && ln -s "$TRASH/secret/key" "$dir/artifacts/file" &&
	ln -s "$TRASH/secret/key" "$dir/params/key" && ln -s "$TRASH/secret" "$dir/tags/keys" &&
	ln -s "$TRASH/secret" out1/8 && mkfifo "$dir/artifacts/pipe" "$dir/params/pipe" &&
	for uri in "$TRASH/secret" "file://$TRASH/secret" "../secret" "file:../../secret" "./../secret" \
		"file:///%2e%2e/secret" "mlflow-artifacts:/../secret" "dbfs:/secret" "s3://bucket/secret"
	do
		n=$((n + 1)) &&
		mkdir out1/7/uri$n && printf "artifact_uri: \"%s\"\nstart_time: 1\n" "$uri" >out1/7/uri$n/meta.yaml ||
		return 1
	done &&
	taken out1 &&
	ask "SELECT path FROM run_file" >paths && test_must_be_empty paths &&
	test -z "$(grep -rl secret p/.mlp/objects)" &&
	ask "SELECT count(*) FROM param" >have && test_write_lines 0 >want && test_cmp want have &&
	test_grep "left out: file .folder.: a link" err &&
	test_grep "left out: file .pipe.: not a file" err &&
	ask "SELECT artifact_uri FROM run WHERE uuid = \"uri9\"" >have &&
	test_write_lines s3://bucket/secret >want && test_cmp want have
'
test_expect_success 'metric files as releases and people wrote them' '
	folder lines && mkdir "$dir/metrics/deep" &&
	printf "1 0.5\n2 1e-3 7\n3 nan 1\n4 -inf 2\n5 0.1 3 data digest\n6 0.2 4 x\n7 0.3 5 a b c d\n" >"$dir/metrics/good" &&
	printf "no 1 1\n1 no 1\n1\n\n1 2 no\n99999999999999999999 1 1\n8 0.5 9\n9 0.5 1" >"$dir/metrics/bad" &&
	printf "1 1 1\r\n" >"$dir/metrics/deep/key" &&
	head -c 3000000 /dev/zero | tr "\0" 1 >"$dir/metrics/long" &&
	printf "1 1 1\n" >"$dir/metrics/we%ird" && : >"$dir/metrics/none" &&
	taken lines &&
	ask "SELECT k.name, m.points FROM metric m JOIN metric_key k ON k.id = m.key_id ORDER BY 1" >have &&
	test_write_lines "bad|1" "deep/key|1" "good|7" "loss|1" >want &&
	test_cmp want have &&
	test_grep "left out: 6 lines of metric .bad." err &&
	test_grep "left out: 1 lines of metric .long." err &&
	test_grep ".we%ird. of .* cannot name a metric" err
'
test_expect_success 'values that are large, or no UTF-8' '
	folder values &&
	head -c 300000 /dev/zero | tr "\0" x >"$dir/params/large" &&
	printf "a\377b" >"$dir/params/bytes" && printf "x" >"$dir/tags/a:b c" && printf "x" >"$dir/tags/$(printf "\377")" &&
	printf "a\0b" >"$dir/params/nul" &&
	taken values &&
	ask "SELECT key, length(value) FROM param ORDER BY key" >have &&
	test_write_lines "bytes|3" "large|6000" "nul|1" >want &&
	test_cmp want have &&
	test_grep "is cut to 6000 bytes" err &&
	test_grep "^a:b c$" <<-END
	$(ask "SELECT key FROM tag")
	END
'
test_expect_success 'meta.yaml that is broken, empty, or a bomb is left out, the rest is not' '
	folder broken &&
	for bad in "a: [1, {" "" "- 1" "&a [*a, *a]" "%%" "a: b: c" "--- a
--- b" "	tab: x" "$(printf "a: \377")"
	do
		n=$((n + 1)) && mkdir broken/7/bad$n && printf "%s\n" "$bad" >broken/7/bad$n/meta.yaml || return 1
	done &&
	mkdir broken/7/deep broken/7/nometa broken/9 broken/noname &&
	head -c 100000 /dev/zero | tr "\0" "[" >broken/7/deep/meta.yaml &&
	echo "x: 1" >broken/noname/meta.yaml && echo "{" >broken/9/meta.yaml &&
	taken broken &&
	ask "SELECT uuid FROM run" >have && echo $run >want && test_cmp want have &&
	test_grep "left out: .7/deep/meta.yaml.: line 1: too many levels" err &&
	test_grep "an alias" err && test_grep "it has no keys" err && test_grep "experiment noname, which has no name" err
'
test_expect_success 'ids that are none, or too large' '
	folder ids &&
	for id in 9223372036854775807 1000000000000000000 word -5
	do
		mkdir ids/$id && printf "name: x%s\n" $id >ids/$id/meta.yaml || return 1
	done &&
	mkdir "ids/7/not an id" && echo "status: 3" >"ids/7/not an id/meta.yaml" &&
	taken ids &&
	test_grep "run .not an id.: that is no id of one" err &&
	ask "SELECT name FROM experiment WHERE id > 1000" >have && test_must_be_empty have &&
	(cd p && mlp -q train -e another -- true) &&
	ask "SELECT count(*) FROM experiment" >have && test_write_lines 7 >want && test_cmp want have
'
test_expect_success 'runs that are their own ancestors' '
	folder family &&
	for r in a b c
	do
		mkdir -p family/7/$r/tags && printf "status: 3\nstart_time: 1\n" >family/7/$r/meta.yaml || return 1
	done &&
	printf b >family/7/a/tags/mlflow.parentRunId && printf a >family/7/b/tags/mlflow.parentRunId &&
	printf c >family/7/c/tags/mlflow.parentRunId &&
	taken family &&
	ask "SELECT count(*) FROM run WHERE parent_id IS NOT NULL" >have &&
	test_write_lines 1 >want && test_cmp want have &&
	(cd p && mlp log --graph) >out && test_grep "^. *c" out
'
cat >odd.sql <<'END'
PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0;
	UPDATE runs SET status = NULL, start_time = 'x', name = x'ff00ff', artifact_uri = NULL;
	UPDATE experiments SET lifecycle_stage = NULL, creation_time = 'y';
	UPDATE metrics SET value = 'abc', step = 'many' WHERE key = 'loss' AND timestamp < 1763000000500;
	UPDATE tags SET value = NULL; UPDATE params SET value = x'ff00';
	UPDATE model_versions SET source = NULL, current_stage = NULL, version = version - 1;
	UPDATE registered_model_aliases SET version = 77;
	UPDATE datasets SET dataset_source = x'ff';
END
test_expect_success 'a database with values of other types' '
	tar -xzf "$TEST_SOURCE/t/fixtures/mlflow.tar.gz" db && cp db/mlflow.db odd.db &&
	sqlite3 odd.db <odd.sql &&
	taken odd.db &&
	ask "SELECT count(*) FROM run" >have && test_write_lines 6 >want && test_cmp want have &&
	(cd p && mlp log -a && mlp show @ && mlp doctor) >out &&
	test_grep "alias .champion. of model" err && test_grep "version 0 of model .credit.: that is no number of one" err
'
test_expect_success 'a damaged database is an error, and what came before it stays whole' '
	cp db/mlflow.db cut.db && truncate -s 200K cut.db &&
	project p &&
	(cd p && test_expect_code 128 mlp import mlflow ../cut.db) 2>err &&
	test_grep "damaged" err &&
	sqlite3 p/.mlp/mlp.db "PRAGMA integrity_check" >have && test_write_lines ok >want && test_cmp want have
'
# many NAME RUNS: runs with points and an artifact each.
many()
{
	mkdir -p "$1/7" && printf 'name: seven\n' >"$1/7/meta.yaml" || return
	i=0
	awk 'BEGIN { for (i = 0; i < 500; i++) printf "%d %d %d\n", 1763000000000 + i, i, i }' >points
	while test $i -lt "$2"
	do
		r=$1/7/run$i i=$((i + 1))
		mkdir -p "$r/metrics" "$r/artifacts" "$r/params" && cp points "$r/metrics/loss" &&
		printf 'run_name: n\nstatus: 3\nstart_time: 1\nend_time: 2\n' >"$r/meta.yaml" &&
		printf "%s" $i >"$r/params/p" && printf "artifact %s" $i >"$r/artifacts/a" || return
	done
}
test_expect_success 'killed at any moment: whole runs, and the next import adds the rest' '
	many kill 60 &&
	project p &&
	for ms in 1 2 4 8 16 32 64 128
	do
		(cd p && exec timeout -s KILL 0.$(printf "%03d" $ms) mlp import mlflow ../kill >/dev/null 2>&1) || : killed
		ask "SELECT count(*) FROM run r WHERE (SELECT sum(points) FROM metric WHERE run_id = r.id) IS NOT 500
			OR (SELECT count(*) FROM run_file WHERE run_id = r.id) <> 1
			OR (SELECT count(*) FROM param WHERE run_id = r.id) <> 1" >have &&
		test_write_lines 0 >want && test_cmp want have || return 1
	done &&
	(cd p && mlp import mlflow ../kill) >out &&
	ask "SELECT count(*), (SELECT sum(points) FROM metric) FROM run" >have &&
	test_write_lines "60|30000" >want && test_cmp want have &&
	for object in $(ask "SELECT substr(sha256, 1, 2) || \"/\" || substr(sha256, 3) FROM run_file")
	do
		test_path_is_file p/.mlp/objects/$object || return 1
	done
'
test_expect_success 'two imports at once' '
	project p &&
	{ (cd p && mlp import mlflow ../kill >../one.log 2>&1) & } && pid=$! &&
	(cd p && mlp import mlflow ../kill >../two.log 2>&1) &&
	wait $pid &&
	ask "SELECT count(*), (SELECT sum(points) FROM metric) FROM run" >have &&
	test_write_lines "60|30000" >want && test_cmp want have
'
test_done
