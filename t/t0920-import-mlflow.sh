#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp import mlflow: a folder mlruns/ and a mlflow.db, both made by MLflow's own client.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3
test_require YAML

tar -xzf "$TEST_SOURCE/t/fixtures/mlflow.tar.gz"

# ask SQL: from the project in the current folder.
ask()
{
	sqlite3 .mlp/mlp.db "$1"
}

project()
{
	rm -rf "$1" && mkdir "$1" && (cd "$1" && mlp init)
}

# The same world, read from what of it does not depend on ids and times.
cat >world.sql <<'END'
SELECT name, coalesce(artifact_location, ''), deleted_ms IS NOT NULL FROM experiment ORDER BY name;
SELECT e.name, t.key, t.value FROM experiment_tag t JOIN experiment e ON e.id = t.experiment_id
	WHERE t.key NOT LIKE 'mlflow.%' ORDER BY 1, 2;
SELECT r.name, r.user, r.status, r.deleted_ms IS NOT NULL, r.ended_ms IS NOT NULL, p.name,
	r.artifact_uri LIKE 's3://bucket/away/%', e.name
	FROM run r JOIN experiment e ON e.id = r.experiment_id LEFT JOIN run p ON p.id = r.parent_id
	ORDER BY r.name;
SELECT r.name, p.key, p.value FROM param p JOIN run r ON r.id = p.run_id ORDER BY 1, 2;
SELECT r.name, t.key, t.value FROM tag t JOIN run r ON r.id = t.run_id
	WHERE t.key NOT LIKE 'mlflow.%' ORDER BY 1, 2;
SELECT r.name, k.name, m.points, m.step, m.value FROM metric m JOIN run r ON r.id = m.run_id
	JOIN metric_key k ON k.id = m.key_id WHERE k.name <> 'accuracy' ORDER BY 1, 2;
SELECT r.name, f.path, f.size, f.sha256 FROM run_file f JOIN run r ON r.id = f.run_id ORDER BY 1, 2;
SELECT d.name, d.digest, d.schema, d.profile, t.key, t.value FROM dataset d
	JOIN run_input i ON i.dataset_id = d.id JOIN run_input_tag t ON t.input_id = i.id;
SELECT m.name, m.status, m.id = o.model_id, r.name FROM logged_model m
	JOIN run r ON r.id = m.source_run_id JOIN run_output_model o ON o.run_id = r.id;
SELECT key, step, value, d.name FROM logged_model_metric m LEFT JOIN dataset d ON d.id = m.dataset_id
	ORDER BY 1;
SELECT path, path LIKE 'MLmodel' OR size > 0 FROM logged_model_file ORDER BY path;
SELECT * FROM logged_model_param ORDER BY 2;
SELECT name, description FROM registered_model;
SELECT * FROM registered_model_tag;
SELECT name, version, stage, status, storage_location LIKE 'mlflow-artifacts:/%/models/m-%' FROM model_version;
SELECT * FROM model_version_tag;
SELECT * FROM model_alias;
END

test_expect_success 'a folder mlruns/' '
	project a &&
	(cd a && mlp import mlflow ../files/mlruns) >out 2>err &&
	test_grep "^3 experiments, 6 runs, 205 metric points, 7 artifacts (.*), 1 logged model, 1 registered model, 2 model versions imported$" out &&
	test_grep "artifacts of 1 run or model stay" out &&
	test_must_be_empty err
'
test_expect_success 'a mlflow.db, moved with its artifacts' '
	project b &&
	(cd b && mlp import mlflow ../db/mlflow.db) >out 2>err &&
	test_grep "^3 experiments, 6 runs, 205 metric points, 7 artifacts (.*), 1 logged model, 1 registered model, 2 model versions imported$" out &&
	test_grep "artifacts of 1 run or model stay" out &&
	test_must_be_empty err
'
test_expect_success 'both are the same world' '
	for p in a b
	do
		sqlite3 $p/.mlp/mlp.db <world.sql | sed "s/m-[0-9a-f]*/m-ID/" >world.$p || return 1
	done &&
	test_cmp world.a world.b &&
	test_grep "^risk: credit|team|risk$" world.a &&
	test_grep "^line 2: .x.$" world.a &&
	test_grep "^child|ada|3|0|1|parent||risk: credit$" world.a &&
	test_grep "^mistake|.*|1|1|0||" world.a &&
	test_grep "^past|.*|5|1|1||.*gone$" world.a &&
	test_grep "^remote|.*|1|away$" world.a &&
	test_grep "^parent|opt/name|adam$" world.a &&
	test_grep "^parent|empty|$" world.a &&
	test_grep "^parent|reviewed|yes, äöü$" world.a &&
	test_grep "^parent|loss|200|199|0.018" world.a &&
	test_grep "^parent|val/acc|1|1|$" world.a &&
	test_grep "^parent|largest|1|1|Inf$" world.a &&
	test_grep "^parent|notes/hello.txt|6|" world.a &&
	test_grep "^parent|empty.txt|0|" world.a &&
	test_grep "^tiny|.*|mlflow.data.context|training$" world.a &&
	test_grep "^accuracy|3|0.9|tiny$" world.a &&
	test_grep "^credit|who pays back$" world.a &&
	test_grep "^credit|1|Production|3|1$" world.a &&
	test_grep "^credit|2|Deleted_Internal|3|1$" world.a &&
	test_grep "^credit|champion|1$" world.a
'
test_expect_success 'ids and times are kept' '
	sqlite3 db/mlflow.db "SELECT run_uuid, start_time, end_time, experiment_id FROM runs
		ORDER BY run_uuid" >want &&
	sqlite3 b/.mlp/mlp.db "SELECT uuid, started_ms, ended_ms, experiment_id FROM run
		ORDER BY uuid" >have &&
	test_cmp want have &&
	sqlite3 db/mlflow.db "SELECT experiment_id, name, creation_time FROM experiments
		WHERE experiment_id > 0 ORDER BY 1" >want &&
	sqlite3 b/.mlp/mlp.db "SELECT id, name, created_ms FROM experiment WHERE id > 0 ORDER BY 1" >have &&
	test_cmp want have &&
	(cd b && "$TEST_BUILD/t/helper/list-points") >points &&
	test_grep "^parent finished loss 200$" points &&
	test_grep "^running running loss 1$" points
'
test_expect_success 'the bytes of artifacts are those of the source' '
	sum=$(cat files/mlruns/*/*/artifacts/notes/hello.txt | sha256sum | cut -d" " -f1) &&
	test "$(sqlite3 a/.mlp/mlp.db "SELECT sha256 FROM run_file WHERE path = \"notes/hello.txt\"")" = "$sum" &&
	cmp a/.mlp/objects/$(echo $sum | cut -c1-2)/$(echo $sum | cut -c3-) files/mlruns/*/*/artifacts/notes/hello.txt
'
test_expect_success 'mlp doctor finds what a model has lost' '
	(
		cd a && mlp doctor >out && test_grep "^objects  *ok" out &&
		object=$(ask "SELECT sha256 FROM logged_model_file
			WHERE sha256 NOT IN (SELECT sha256 FROM run_file)
			ORDER BY path LIMIT 1") &&
		file=.mlp/objects/$(echo "$object" | sed "s|^..|&/|") &&
		mv "$file" kept && test_expect_code 1 mlp doctor >out && mv kept "$file" &&
		test_grep "^objects  *wrong  *1 of .* missing: .* (model file MLmodel)" out
	)
'
test_expect_success 'again adds nothing, and says so' '
	sqlite3 a/.mlp/mlp.db .dump >before &&
	(cd a && mlp import mlflow ../files/mlruns) >out &&
	sqlite3 a/.mlp/mlp.db .dump >after &&
	test_grep "^nothing new imported$" out &&
	test_grep "^6 runs were there already$" out &&
	test_cmp before after &&
	(cd b && mlp import mlflow --json ../db/mlflow.db) >out &&
	test_grep "\"runs\":0,\"runs_grown\":0,\"points\":0,\"artifacts\":0" out &&
	test_grep "\"runs_known\":6" out
'
test_expect_success 'what is found there is shown' '
	(cd a && mlp log) >out &&
	test_grep "parent" out &&
	(cd a && mlp show --json parent) >out &&
	test_grep "\"notes/hello.txt\"" out
'
test_expect_success 'a source that grew adds what is new' '
	cp -R files grown && run=$(grep -l "^run_name: running" grown/mlruns/*/*/meta.yaml) &&
	sed -i "s/^status: 1/status: 3/; s/^end_time: null/end_time: 1763000009000/" "$run" &&
	dir=${run%/meta.yaml} &&
	mkdir -p "$dir/params" "$dir/artifacts" &&
	printf "1763000000100 0.5 1\n1763000000200 0.25 2\n" >>"$dir/metrics/loss" &&
	printf "late" >"$dir/params/late" &&
	printf "new" >"$dir/artifacts/new.txt" &&
	(cd a && mlp import mlflow ../grown/mlruns) >out &&
	test_grep "^1 run that grew, 2 metric points, 1 artifact (3 B) imported$" out &&
	(cd a && ask "SELECT status, ended_ms, points FROM run r JOIN metric m ON m.run_id = r.id
		WHERE r.name = \"running\"") >have &&
	test_write_lines "3|1763000009000|3" >want &&
	test_cmp want have &&
	(cd a && mlp import mlflow ../grown/mlruns) >out &&
	test_grep "^nothing new imported$" out
'
test_expect_success 'a file that changed in a run that goes on is taken in again' '
	project c &&
	cp -R files live && run=$(grep -l "^run_name: running" live/mlruns/*/*/meta.yaml) &&
	mkdir -p "${run%/*}/artifacts" && printf one >"${run%/*}/artifacts/last.ckpt" &&
	(cd c && mlp import mlflow ../live/mlruns >/dev/null) &&
	printf two >"${run%/*}/artifacts/last.ckpt" &&
	(cd c && mlp import mlflow ../live/mlruns) >out &&
	test_grep "^1 run that grew, 1 artifact (3 B) imported$" out
'
test_expect_success 'what was changed here after a run ended stays' '
	run=$(cd a && ask "SELECT uuid FROM run WHERE name = \"parent\"") &&
	(cd a && mlp tag "$run" reviewed=no >/dev/null && mlp import mlflow ../files/mlruns >/dev/null &&
	ask "SELECT value FROM tag WHERE key = \"reviewed\"") >out &&
	test_write_lines no >want &&
	test_cmp want out
'
test_expect_success '--dry-run says the same and keeps nothing' '
	project d &&
	sqlite3 d/.mlp/mlp.db .dump >before &&
	(cd d && mlp import mlflow --dry-run ../db/mlflow.db) >out &&
	sqlite3 d/.mlp/mlp.db .dump >after &&
	test_cmp before after &&
	test_grep "^3 experiments, 6 runs, 205 metric points, 7 artifacts .* would be imported$" out &&
	test -z "$(find d/.mlp/objects -type f 2>/dev/null)"
'
test_expect_success '--no-artifacts keeps the URI, a later import the bytes' '
	(cd d && mlp import mlflow --no-artifacts ../db/mlflow.db) >out &&
	test_grep "artifacts of 7 runs and models stay" out &&
	(cd d && ask "SELECT artifact_uri FROM run WHERE name = \"parent\"") >uri &&
	test_grep "^/.*/artifacts$" uri &&
	(cd d && mlp import mlflow ../db/mlflow.db) >out &&
	test_grep "7 artifacts" out &&
	(cd d && ask "SELECT coalesce(artifact_uri, \"ours\") FROM run WHERE name = \"parent\"") >uri &&
	test_grep "^ours$" uri
'
test_expect_success '--experiment takes one, and the models that came from it' '
	project e &&
	(cd e && mlp import mlflow --experiment gone --experiment away ../db/mlflow.db) >out &&
	test_grep "^2 experiments, 2 runs imported$" out &&
	(cd e && mlp import mlflow --experiment "risk: credit" ../db/mlflow.db) >out &&
	test_grep "1 experiment, 4 runs, .*1 registered model, 2 model versions imported" out &&
	(cd e && test_must_fail mlp import mlflow --experiment nosuch ../db/mlflow.db) 2>err &&
	test_grep "no experiment .nosuch. in the source" err
'
test_expect_success 'experiments that clash by name or id' '
	project f &&
	(
		cd f &&
		mlp -q train -e "risk: credit" -- true &&
		mlp import mlflow ../db/mlflow.db >/dev/null 2>../err &&
		ask "SELECT count(*) FROM run r JOIN experiment e ON e.id = r.experiment_id
			WHERE e.name = \"risk: credit\"" >../out
	) &&
	test_write_lines 5 >want &&
	test_cmp want out &&
	project g &&
	(
		cd g &&
		mlp -q train -e first -- true &&
		mlp import mlflow ../db/mlflow.db >/dev/null 2>../err &&
		ask "SELECT id FROM experiment WHERE name = \"risk: credit\"" >../out
	) &&
	test_grep "experiment .risk: credit. has the id 1 there and 2 here" err &&
	test_write_lines 2 >want &&
	test_cmp want out
'
test_expect_success 'a version that is another one here stays, and is told' '
	project h &&
	(
		cd h &&
		ask "INSERT INTO registered_model VALUES(\"credit\", NULL, 1, 1);
		INSERT INTO model_version(name, version, stage, status, created_ms, updated_ms)
			VALUES(\"credit\", 1, \"None\", 3, 1, 1);" &&
		mlp import mlflow ../db/mlflow.db >/dev/null 2>../err &&
		ask "SELECT version, stage FROM model_version ORDER BY version" >../out
	) &&
	test_grep "version 1 of model .credit.: here that is another one" err &&
	test_write_lines "1|None" "2|Deleted_Internal" >want &&
	test_cmp want out
'
test_expect_success 'databases of old releases' '
	for old in 1.30.1 2.9.2
	do
		project o &&
		(cd o && mlp import mlflow ../old/$old.db) >out &&
		test_grep "^1 experiment, 1 run, 50 metric points, 1 registered model, 1 model version imported$" out ||
		return 1
	done
'
test_expect_success 'a URL of SQLAlchemy, as MLflow takes it' '
	project p &&
	(cd p && mlp import mlflow sqlite:///../db/mlflow.db) >out &&
	test_grep "^3 experiments, 6 runs" out
'
test_expect_success 'artifacts elsewhere on the disk come with --artifact-root' '
	mkdir alone && cp db/mlflow.db alone/ &&
	project q &&
	(cd q && mlp import mlflow ../alone/mlflow.db) >out &&
	test_grep "artifacts of 7 runs and models stay" out &&
	(cd q && mlp import mlflow --artifact-root ../db ../alone/mlflow.db) >out &&
	test_grep "7 artifacts" out
'
test_expect_success 'the source is not written to' '
	find files db -type f -exec sha256sum {} + | sort >before &&
	project r && (cd r && mlp import mlflow ../files/mlruns && mlp import mlflow ../db/mlflow.db) >out 2>&1 &&
	find files db -type f -exec sha256sum {} + | sort >after &&
	test_cmp before after
'
test_expect_success 'a database that is being written is read as it was last committed' '
	project s && cp -R db busy &&
	mkfifo go && { sqlite3 busy/mlflow.db >/dev/null 2>&1 <go & } && pid=$! &&
	exec 7>go &&
	echo "BEGIN IMMEDIATE; INSERT INTO params VALUES(\"x\", \"y\", (SELECT min(run_uuid) FROM runs));" >&7 &&
	(cd s && mlp import mlflow ../busy/mlflow.db) >out &&
	exec 7>&- &&
	wait $pid &&
	test_grep "^3 experiments, 6 runs" out
'
test_done
