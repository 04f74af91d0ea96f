#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# MLflow's own client, unmodified, against mlp server: mlflow_client.py has the checks.
# MLP_MLFLOW_PYTHON names a Python that has the packages already.
python=${MLP_MLFLOW_PYTHON:-}
. "${srcdir:-.}/t/test-lib.sh"
. "$TEST_SOURCE/t/interop/venv.sh"

# start PORT
start()
{
	(cd project && exec mlp server -p "$1") >url 2>server.err &
	server=$!
	test_wait_for 60 test -s url || return 1
	MLFLOW_TRACKING_URI=$(sed 's/.* //' url)
	export MLFLOW_TRACKING_URI
}

client()
{
	timeout 280 "$python" "$TEST_SOURCE/t/interop/mlflow_client.py" "$@"
}

test_lazy_prereq LIGHTGBM '"$python" -c "import lightgbm"'

test_expect_success 'the server starts' '
	mkdir project && (cd project && mlp init) && start 0
'

checks='fluent nested-runs datasets artifacts artifact-in-parts search logged-models
	missing-artifact registry-cycle registry-search sklearn-autolog xgboost-autolog load-by-alias'
! test_have_prereq LIGHTGBM || checks="$checks lightgbm-autolog"

# shellcheck disable=SC2086 # to be split
test_expect_success 'the checks of one client' 'client each passed $checks'
for check in $checks
do
	test_expect_success "$check" 'test_grep -x "$check" passed'
done

# PyTorch is large: it is asked only where it is installed already.
test_lazy_prereq LIGHTNING '"$python" -c "import lightning, torch"'
test_expect_success LIGHTNING 'autolog of PyTorch Lightning' 'client lightning-autolog'

test_expect_success 'two clients at once' 'client two-clients'

free_port()
{
	"$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

is_up()
{
	"$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' "$1" 2>/dev/null
}

test_expect_success 'mlflow models serve of a model that is here' '
	port=$(free_port) &&
	{ PATH=${python%/*}:$PATH setsid "$python" -m mlflow models serve -m models:/iris@champion -p "$port" \
		--env-manager local >serve.log 2>&1 & } &&
	serve=$! &&
	test_when_finished "kill -- -$serve" &&
	{ test_wait_for 120 is_up "http://127.0.0.1:$port/ping" || { cat serve.log; false; }; } &&
	client score "http://127.0.0.1:$port"
'

test_expect_success !SANITIZERS 'a file of 1 GB, in 32 MB of memory' 'client large-artifact $server 32768'

test_expect_success 'mlp train: the run is joined' '
	(
		unset MLFLOW_TRACKING_URI &&
		cd project &&
		mlp -c train.mlflow=always train -e joined -n outer -- \
			"$python" "$TEST_SOURCE/t/interop/mlflow_client.py" in-train
	) &&
	(cd project && mlp show --json outer) >out &&
	test_grep "\"loss\"" out &&
	test_grep "\"lr\"" out &&
	(cd project && mlp show inner) >out &&
	test_grep "parent.*outer" out
'

# in_train CHECK OPTION...
in_train()
(
	unset MLFLOW_TRACKING_URI
	check=$1
	shift
	cd project && mlp -c train.mlflow=always train "$@" -- \
		"$python" "$TEST_SOURCE/t/interop/mlflow_client.py" "$check" "{lr}"
)

test_expect_success 'mlp train: a script that sets its experiment' '
	in_train in-train-own-experiment -p lr=1e-3 && (cd project && mlp show --json theirs) >out &&
	test_grep "\"experiment\":\"my-exp\"" out && test_grep "\"lr\":\"1e-3\"" out
'

test_expect_success 'mlp train: a script that has a store of its own' '
	in_train in-train-own-store -p lr=1
'

test_expect_success 'mlp train: variables of the user that name things on another server' '
	MLFLOW_EXPERIMENT_ID=77 MLFLOW_RUN_ID=0123456789abcdef0123456789abcdef \
		in_train in-train-again -p lr=1
'

test_expect_success 'what is recorded through it, mlp shows' '
	(cd project && mlp log -n 0 --json) >runs.json &&
	test_grep "\"first\"" runs.json
'

test_expect_success 'every endpoint that the clients asked for is there, and none failed' '
	"$python" -c "import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1] + \"/metrics\").read().decode())" \
		"$MLFLOW_TRACKING_URI" >metrics &&
	test_grep "route=\"mlflow/runs/create\"" metrics &&
	test_grep ! "route=\"other\"" metrics &&
	test_grep ! "status=\"5" metrics
'

test_expect_success 'the server is killed and restarted under a client: nothing is lost' '
	rm -f acknowledged &&
	{ MLFLOW_HTTP_REQUEST_MAX_RETRIES=7 client keep-logging acknowledged & writer=$!; } &&
	test_wait_for 60 test -s acknowledged &&
	kill -9 $server &&
	{ wait $server || :; } &&
	sleep 0.5 &&
	port=${MLFLOW_TRACKING_URI##*:} &&
	: >url &&
	start "$port" &&
	wait $writer
'

test_expect_success 'the server ends when asked to' '
	kill $server &&
	wait $server
'

test_done
