#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same requests to stock MLflow and to mlp server: replay.py compares the answers.
# MLP_MLFLOW_PYTHON names a Python that has MLflow already.
python=${MLP_MLFLOW_PYTHON:-}
. "${srcdir:-.}/t/test-lib.sh"
. "$TEST_SOURCE/t/interop/venv.sh"

requests=$TEST_SOURCE/t/interop/replay

answers()
{
	"$python" - "$1" <<-\EOF
		import sys, urllib.request
		urllib.request.urlopen(sys.argv[1] + "/health", timeout=5)
	EOF
}

# Its database is made first: that takes seconds, and what goes wrong there is said.
test_expect_success 'stock MLflow starts' '
	port=$("$python" -c "
import socket
s = socket.socket()
s.bind((\"127.0.0.1\", 0))
print(s.getsockname()[1])") &&
	mkdir stock &&
	{ (cd stock && exec env PYTHONHASHSEED=0 MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		setsid "$python" -m mlflow server --port "$port" \
		--workers 1 --backend-store-uri sqlite:///mlflow.db \
		--artifacts-destination "$PWD/files") >stock.log 2>&1 & } &&
	stock=$! &&
	test_wait_for 120 answers "http://127.0.0.1:$port"
'

test_expect_success 'mlp server starts' '
	mkdir project && cd project && mlp init &&
	{ mlp server -p 0 >../url 2>../server.err & } &&
	server=$! &&
	test_wait_for 30 test -s ../url
'

test_expect_success 'both answer the same' '
	"$python" "$requests.py" "http://127.0.0.1:$port" "$(sed "s/.* //" url)" \
		"$requests-differences" "$requests-tracking.txt" "$requests-search.txt" \
		"$requests-registry.txt" "$requests-models.txt"
'

test_expect_success 'the servers end' '
	kill -- "-$stock" && kill "$server" && wait "$server"
'

test_done
