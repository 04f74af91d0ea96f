#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp export mlflow: to a server (one of our own), and to a file mlflow.db.
. "${srcdir:-.}/t/test-lib.sh"
. "$TEST_SOURCE/t/live-lib.sh"

test_expect_success 'a project with a bit of everything, and an empty one' '
	fill from && mkdir to && mlp -C to init
'

test_expect_success 'a dry run changes nothing' '
	serve to && mlp -C from export mlflow -n "$url" >out &&
	test_grep "3 runs, 2002 metric points, 4 artifacts .*would be exported" out &&
	mlp -C to log 2>out && test_grep "no runs" out
'

test_expect_success 'to a server' '
	mlp -C from export mlflow "$url" --json >counts &&
	test_grep "\"runs\":3,.*\"points\":2002,\"artifacts\":4,\"models\":1,\"registered_models\":1,\"versions\":2" counts &&
	same_runs from to
'

test_expect_success 'ids there are others, and known by tags' '
	first=$(mlp -C from log --json -w "name = '\''first'\''" | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p") &&
	test -n "$first" && mlp -C to tag first >tags && test_grep "mlp.run_id *$first" tags &&
	there=$(mlp -C to log --json -w "name = '\''first'\''" | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p") &&
	test "$there" != "$first" &&
	mlp -C to tag child >tags && test_grep "mlflow.parentRunId *$there" tags
'

test_expect_success 'files, the model and the registry are there' '
	ask GET "/get-artifact?run_id=$there&path=files/deep/er/%C3%A4%20b%23%3F%25.txt" >out &&
	test_grep "^hello" out &&
	ask GET "/api/2.0/mlflow/runs/get?run_id=$there" >out &&
	test_grep "\"model_outputs\":\[{\"model_id\":\"m-[0-9a-f]*\",\"step\":3}\]" out &&
	test_grep "\"digest\":\"123\"" out &&
	ask GET "/api/2.0/mlflow/registered-models/alias?name=mine&alias=champion" >out &&
	test_grep "\"version\":\"3\"" out && test_grep "\"run_id\":\"$there\"" out &&
	ask GET "/api/2.0/mlflow/model-versions/get?name=mine&version=1" >out &&
	test_grep Staging out &&
	test_must_fail ask GET "/api/2.0/mlflow/model-versions/get?name=mine&version=2"
'

test_expect_success 'a second time there is nothing new' '
	mlp -C from export mlflow "$url" >out && test_grep "nothing new" out &&
	test_grep "3 runs were there" out
'

test_expect_success 'what was added since goes alone' '
	mlp -C from record metric --run first --step 5000 loss=0.5 &&
	mlp -C from record tag --run first note=other &&
	mlp -C from export mlflow "$url" >out &&
	test_grep "^1 run that grew, 1 metric point exported" out && same_runs from to
'

test_expect_success 'back again nothing is doubled' '
	mkdir back && mlp -C back init && mlp -C back import mlflow "$url" && stop &&
	serve to && mlp -C back export mlflow "$url" >out && test_grep "nothing new" out &&
	stop && mlp -C to log --json >out && test_line_count = 3 out
'

test_expect_success 'killed midway and repeated: all is there, once' '
	for pause in 0.02 0.05 0.1 0.2
	do
		rm -rf again && mkdir again && mlp -C again init && serve again &&
		{ mlp -C from export mlflow "$url" >/dev/null 2>&1 & } && pid=$! &&
		sleep $pause && { kill -9 $pid 2>/dev/null || :; } && { wait $pid || :; } &&
		stop && serve again && # what was sent is answered for
		mlp -C from export mlflow "$url" >/dev/null && stop && same_runs from again &&
		mlp -C again log --json >out && test_line_count = 3 out || return 1
	done
'

test_expect_success 'some runs, some experiments' '
	rm -rf part && mkdir part && mlp -C part init && serve part &&
	mlp -C from export mlflow child "$url" >out && test_grep "1 experiment, 1 run exported" out &&
	mlp -C from export mlflow --experiment Default --no-artifacts "$url" >out &&
	test_grep "^1 run exported" out &&
	test_must_fail mlp -C from export mlflow --experiment nothing "$url" &&
	test_must_fail mlp -C from export mlflow nobody "$url" && stop &&
	mlp -C part log --json >out && test_line_count = 2 out
'

test_expect_success 'a token that may not write is told' '
	mlp -C part server token add r --scope read >token 2>/dev/null && serve part --auth &&
	test_must_fail env MLFLOW_TRACKING_TOKEN="$(cat token)" mlp -C from export mlflow "$url" 2>err &&
	test_grep "403" err && stop
'

test_expect_success 'nobody there' '
	test_must_fail env MLFLOW_HTTP_REQUEST_MAX_RETRIES=0 mlp -C from export mlflow "$url" 2>err &&
	test_grep "no answer from .$url" err
'

# --- A file ----------------------------------------------------------------------

test_expect_success 'to a file, with a folder of artifacts beside it' '
	mlp -C from export mlflow -n "$PWD/x.db" >out && test_grep "would be exported" out &&
	test_path_is_missing x.db && mlp -C from export mlflow "$PWD/x.db" >out &&
	test_grep "3 runs, 2003 metric points, 4 artifacts" out && test_path_is_file x.db &&
	test_path_is_file "x-artifacts/1/$first/artifacts/files/deep/er/ä b#?%.txt" &&
	test_path_is_missing .x.db.part
'

test_expect_success SQLITE3 'it is sound, and ids are kept' '
	sqlite3 x.db "PRAGMA integrity_check; PRAGMA foreign_key_check;
		SELECT name, status FROM runs WHERE run_uuid = '\''$first'\'';
		SELECT count(*), sum(is_nan) FROM metrics; SELECT version_num FROM alembic_version;
		SELECT count(*) FROM latest_metrics; SELECT version, current_stage FROM model_versions" >out &&
	test_write_lines ok "first|FINISHED" "2003|1" 6953534de441 3 "1|Staging" "2|Deleted_Internal" \
		"3|None" >exp && test_cmp exp out
'

test_expect_success SQLITE3 'a run whose files are elsewhere keeps their place' '
	mkdir far && mlp -C far init && serve far &&
	post experiments/create "{\"name\":\"s3\",\"artifact_location\":\"s3://bucket/x\"}" &&
	post runs/create "{\"experiment_id\":\"$(member experiment_id)\"}" && run=$(member run_id) &&
	stop && mlp -C far export mlflow "$PWD/far.db" >out &&
	test_grep "artifacts of 1 run or model stay where they are" out &&
	echo "s3://bucket/x/$run/artifacts" >expect &&
	sqlite3 far.db "SELECT artifact_uri FROM runs" >out && test_cmp expect out &&
	rm -rf part && mkdir part && mlp -C part init && serve part &&
	mlp -C far export mlflow "$url" 2>err && test_grep "has its files at .s3://bucket/x" err && stop
'

test_expect_success 'imported it is what it was' '
	mkdir round && mlp -C round init && mlp -C round import mlflow "$PWD/x.db" >out &&
	test_grep "3 runs, 2003 metric points, 4 artifacts" out && same_runs from round
'

test_expect_success 'a file that is there is never written' '
	cp x.db before && test_must_fail mlp -C from export mlflow "$PWD/x.db" 2>err &&
	test_grep "is there already" err && cmp x.db before &&
	mlp -C from export mlflow --artifacts "$PWD/elsewhere" "sqlite:///$PWD/y.db" &&
	test_path_is_file "elsewhere/1/$first/artifacts/files/empty" &&
	test_expect_code 129 mlp -C from export mlflow --artifacts x --no-artifacts z.db
'

test_expect_success 'killed midway and repeated: whole' '
	for pause in 0.005 0.01 0.02 0.05
	do
		rm -rf k.db k-artifacts && { mlp -C from export mlflow "$PWD/k.db" >/dev/null & } && pid=$! &&
		sleep $pause && { kill -9 $pid 2>/dev/null || :; } && { wait $pid || :; } &&
		{ test -f k.db || mlp -C from export mlflow "$PWD/k.db" >/dev/null; } &&
		rm -rf round && mkdir round && mlp -C round init >/dev/null &&
		mlp -C round import mlflow "$PWD/k.db" >out &&
		test_grep "3 runs, 2003 metric points, 4 artifacts" out || return 1
	done
'

test_expect_success SMALL_DISK 'a full disk leaves no file' '
	MLP=$PWD/from && export MLP &&
	test_with_small_disk 64k "! mlp -C \$MLP export mlflow \$PWD/s.db 2>err && ! test -e s.db && ! test -e .s.db.part"
'

test_done
