#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp export to MLflow's own server and to a file that it opens, and back; seen by its client.
python=${MLP_MLFLOW_PYTHON:-}
. "${srcdir:-.}/t/test-lib.sh"
. "$TEST_SOURCE/t/interop/venv.sh"

# stock FILE: MLflow's own server; sets stock and url.
stock()
{
	port=$("$python" -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") &&
	{ "$python" -m mlflow server --backend-store-uri "sqlite:///$1" --host 127.0.0.1 -p "$port" \
		--workers 1 --default-artifact-root mlflow-artifacts:/ \
		--artifacts-destination "$1.files" >"$1.log" 2>&1 & } && stock=$! &&
	url=http://127.0.0.1:$port &&
	test_wait_for 120 "$python" -c "import urllib.request as u; u.urlopen(\"$url/health\")" 2>/dev/null
}

look()
{
	timeout 280 "$python" "$TEST_SOURCE/t/interop/mlflow_look.py" "$1"
}

test_expect_success 'the client records to mlp server' '
	mkdir from && mlp -C from init && { mlp -C from server -p 0 >url 2>server.err & } && server=$! &&
	test_wait_for 20 test -s url && MLFLOW_TRACKING_URI=$(sed "s/.* //" url) &&
	export MLFLOW_TRACKING_URI &&
	timeout 280 "$python" "$TEST_SOURCE/t/interop/mlflow_fill.py" &&
	look "$MLFLOW_TRACKING_URI" >seen && kill $server && wait $server
'

test_expect_success 'a file: the stock server opens it, and its client sees the same' '
	mlp -C from export mlflow "$PWD/x.db" && stock x.db && look "$url" >seen.db &&
	test_cmp seen seen.db
'

test_expect_success 'imported from that server' '
	mkdir disk && mlp -C disk init && mlp -C disk import mlflow "$url" --json >counts &&
	test_json counts "o[\"runs\"] == 2 and o[\"models\"] == 1 and o[\"versions\"] == 2" &&
	kill $stock && { wait $stock || :; }
'

test_expect_success 'to a stock server: its client sees the same; twice adds nothing' '
	stock y.db && mlp -C from export mlflow "$url" && mlp -C from export mlflow "$url" >out &&
	test_grep "nothing new" out && look "$url" >seen.live && test_cmp seen seen.live
'

test_expect_success 'and back: nothing is lost, and nothing doubled by a further export' '
	mkdir back && mlp -C back init && mlp -C back import mlflow "$url" &&
	mlp -C back export mlflow "$url" >out && test_grep "nothing new" out &&
	kill $stock && { wait $stock || :; }
'

test_done
