#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp import mlflow from a live server: one of our own, and ones that stall, lie or die.
. "${srcdir:-.}/t/test-lib.sh"
. "$TEST_SOURCE/t/live-lib.sh"

test_expect_success 'a server with a bit of everything' '
	fill from && serve from
'

test_expect_success 'all of it comes over' '
	mkdir to && mlp -C to init && mlp -C to import mlflow "$url" --json >counts &&
	test_grep "\"runs\":3,.*\"points\":2002,.*\"models\":1,\"registered_models\":1,\"versions\":2" counts &&
	same_runs from to &&
	mlp -C to log --json -e one | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p" >ids &&
	test_line_count = 2 ids
'

test_expect_success 'files too' '
	mlp -C from show first >shown && mlp -C to show first >shown.to && test_cmp shown shown.to
'

test_expect_success 'a second time there is nothing new' '
	mlp -C to import mlflow "$url/" >out && test_grep "nothing new" out
'

test_expect_success 'what was added since comes alone' '
	mlp -C from record metric --run first --step 5000 loss=0.5 &&
	mlp -C to import mlflow "$url" >out &&
	test_grep "1 run that grew, 1 metric point" out
'

test_expect_success 'a dry run counts all and reads no file' '
	stop && serve from --access-log "$PWD/log" && mkdir dry && mlp -C dry init &&
	mlp -C dry import mlflow -n "$url" --json >counts &&
	test_grep "\"artifacts\":[1-9]" counts &&
	test_grep "mlflow-artifacts/artifacts\"" log >/dev/null &&
	test_grep ! "mlflow-artifacts/artifacts/" log
'

test_expect_success 'one experiment; a dry run' '
	mkdir part && mlp -C part init && mlp -C part import mlflow --experiment Default -n "$url" >out &&
	test_grep "1 run would be imported" out && mlp -C part log >out 2>&1 &&
	test_grep "no runs" out &&
	mlp -C part import mlflow --experiment Default "$url" && mlp -C part log --json >out &&
	test_line_count = 1 out &&
	test_must_fail mlp -C part import mlflow --experiment nothing "$url"
'

test_expect_success 'killed midway and repeated: all is there, once' '
	for pause in 0.01 0.03 0.06 0.1
	do
		rm -rf again && mkdir again && mlp -C again init &&
		{ mlp -C again import mlflow "$url" >/dev/null 2>&1 & } && pid=$! &&
		sleep $pause && { kill -9 $pid 2>/dev/null || :; } && { wait $pid || :; } &&
		mlp -C again import mlflow "$url" >/dev/null && same_runs from again || return 1
	done
'

test_expect_success 'tokens come from the environment, and stay out of messages' '
	mlp -C from server token add mine --scope read >token 2>/dev/null && stop &&
	serve from --auth &&
	mkdir safe && mlp -C safe init && test_must_fail mlp -C safe import mlflow "$url" 2>err &&
	test_grep "401" err && test_grep "MLFLOW_TRACKING_TOKEN" err &&
	MLFLOW_TRACKING_TOKEN=$(cat token) mlp -C safe import mlflow "$url" &&
	MLFLOW_TRACKING_USERNAME=mine MLFLOW_TRACKING_PASSWORD=$(cat token) \
		mlp -C safe import mlflow "$url" &&
	test_must_fail env MLFLOW_TRACKING_TOKEN=wrongsecret mlp -C safe import mlflow "$url" 2>err &&
	test_grep ! wrongsecret err &&
	test_must_fail mlp -C safe import mlflow "http://me:hidden@127.0.0.1" 2>err &&
	test_grep ! hidden err && stop
'

# --- Peers that are not as they should be ----------------------------------------

MLFLOW_HTTP_REQUEST_MAX_RETRIES=0 MLFLOW_HTTP_REQUEST_TIMEOUT=1
export MLFLOW_HTTP_REQUEST_MAX_RETRIES MLFLOW_HTTP_REQUEST_TIMEOUT

# say NAME TEXT: what the peer answers.
say()
{
	printf '%s\n' "$2" >odd/"$1"
}

try()
{
	rm -rf odd-to && mkdir odd-to && mlp -C odd-to init >/dev/null &&
	mlp -C odd-to import mlflow "$odd"
}

run='{"runs":[{"info":{"run_id":"r1","run_name":"x","status":"FINISHED","start_time":1000,
"artifact_uri":"mlflow-artifacts:/0/r1/artifacts"},"data":{"metrics":[{"key":"m","value":1,
"timestamp":1,"step":0}]}}]}'

test_expect_success 'a peer of our making' '
	mkdir odd && { "$TEST_BUILD/t/helper/odd-peer" odd >odd.url 2>asked & } && peer=$! &&
	test_wait_for 20 test -s odd.url && odd=$(cat odd.url) &&
	say mlflow_experiments_search "{\"experiments\":[{\"experiment_id\":\"0\",\"name\":\"Default\"}]}" &&
	say mlflow_runs_search "$run" &&
	say mlflow_metrics_get-history "{\"metrics\":[{\"key\":\"m\",\"value\":\"NaN\",\"timestamp\":1,\"step\":0}]}" &&
	say mlflow-artifacts_artifacts "{}" &&
	say mlflow_registered-models_search "{}" &&
	try >out && test_grep "1 run, 1 metric point" out
'

test_expect_success 'file names that lead out are left out' '
	say mlflow-artifacts_artifacts "{\"files\":[{\"path\":\"../../up\"},{\"path\":\"/etc/x\"},
		{\"path\":\"a/b\"},{\"path\":\"..\",\"is_dir\":true},{\"path\":\"good\",\"file_size\":3}]}" &&
	say mlflow-artifacts_artifacts_0_r1_artifacts_good "yes" &&
	try >out 2>err && test_grep "1 artifact" out && test_grep "named as none may be" err
'

test_expect_success 'folders without end come to an end' '
	say mlflow-artifacts_artifacts "{\"files\":[{\"path\":\"deeper\",\"is_dir\":true}]}" &&
	try >out 2>err && say mlflow-artifacts_artifacts "{}"
'

test_expect_success 'pages without end come to an end' '
	say mlflow_experiments_search "{\"experiments\":[],\"next_page_token\":\"t\"}" &&
	test_must_fail try 2>err && test_grep "same page" err &&
	say mlflow_experiments_search "{\"experiments\":[{\"experiment_id\":\"0\",\"name\":\"Default\"}]}"
'

test_expect_success 'what is no answer of MLflow is told' '
	cp odd/mlflow_runs_search good &&
	for text in "<html>" "[]" "{\"runs\":" "nonsense"
	do
		say mlflow_runs_search "$text" && test_must_fail try 2>err &&
		test_grep "does not speak" err || return 1
	done &&
	for text in "{\"runs\":7}" "{\"runs\":[1,null,{}]}" "{\"runs\":{\"a\":{}}}"
	do
		say mlflow_runs_search "$text" && try >out 2>err || return 1
	done &&
	cp good odd/mlflow_runs_search
'

test_expect_success 'one that dies or stalls is left, and nothing is half there' '
	for mark in die stall
	do
		: >odd/mlflow_metrics_get-history.$mark && test_must_fail try 2>err &&
		test_grep "no answer from" err && mlp -C odd-to log 2>out && test_grep "no runs" out &&
		rm odd/mlflow_metrics_get-history.$mark || return 1
	done &&
	test_wait_for 20 try >out
'

test_expect_success 'the peer ends' '
	kill $peer && { wait $peer || :; }
'

test_done
