#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server: starting and stopping, tokens, TLS, the access log, metrics.
. "${srcdir:-.}/t/test-lib.sh"
test_lazy_prereq PYTHON 'python3 -c "import http.client, ssl, socket"'
test_lazy_prereq OPENSSL 'openssl version'
test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

# ask METHOD PATH [BODY [HEADER:VALUE]]: prints the status and the body.
test_write_script ask '/usr/bin/env python3' <<'EOT'
import http.client, os, ssl, sys
method, path, body, header = (sys.argv[1:] + ["", ""])[:4]
port = int(os.environ["port"])
if os.environ.get("TLS"):
    context = ssl.create_default_context(cafile=os.environ["TLS"])
    c = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
else:
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
headers = {"Content-Type": "application/json"} if body else {}
if header:
    headers[header.split(":", 1)[0]] = header.split(":", 1)[1]
c.request(method, path, body or None, headers)
r = c.getresponse()
text = r.read().decode()
print(r.status)
for name in "WWW-Authenticate", "ETag":
    if r.getheader(name):
        print(name + ": " + r.getheader(name))
print(text)
EOT

test_expect_success 'listens, answers, and ends with 0' '
	mlp init >/dev/null &&
	serve . && test_grep "hint: export MLFLOW_TRACKING_URI=http://127.0.0.1:$port" server.err &&
	./ask GET /health >out && test_write_lines 200 OK >exp && test_cmp exp out &&
	./ask GET /version >out &&
	./ask GET / >out && test_grep ^200 out && test_grep "mlp show" out &&
	test_grep ! -e "://" -e script out && ./ask POST / x >out && test_grep ! ^200 out &&
	./ask GET /version >out &&
	mlp version -v -z | tr "\0" "\n" | grep -A1 "mlflow client" >said &&
	test_grep "version=$(sed -n 2p out)" said &&
	stop
'

test_expect_success 'a port in use is said in one line' '
	serve . && test_expect_code 128 mlp server -p "$port" 2>err && stop &&
	test_line_count = 1 err && test_grep "port $port.*in use" err
'

test_expect_success 'beyond loopback it wants tokens' '
	test_expect_code 128 mlp server -p 0 --listen 0.0.0.0 2>err &&
	test_grep "auth is needed" err &&
	serve . --listen 0.0.0.0 --auth && stop &&
	test_grep "without --tls-cert" server.err && test_grep "no token yet" server.err
'

test_expect_success 'wrong use is told' '
	test_expect_code 129 mlp server -p 70000 &&
	test_expect_code 129 mlp server --tls-cert x &&
	test_expect_code 129 mlp server token &&
	test_expect_code 129 mlp server token add one &&
	test_expect_code 129 mlp server token list --scope read &&
	test_expect_code 128 mlp server token add "a:b" --scope read &&
	test_expect_code 128 mlp server token revoke nobody
'

test_expect_success 'pages of other sites are refused' '
	serve . &&
	./ask GET /api/2.0/mlflow/runs/get "" "Host:evil.example" >out && test_grep ^403 out &&
	./ask GET /api/2.0/mlflow/runs/get "" "Origin:http://evil.example" >out &&
	test_grep ^403 out &&
	./ask GET /health "" "Origin:http://localhost:3000" >out && test_grep ^200 out &&
	stop
'

test_expect_success 'an endpoint that is not there is 404 in the clients form' '
	serve . &&
	./ask POST /api/3.0/mlflow/traces {} >out && test_grep ^404 out &&
	test_grep ENDPOINT_NOT_FOUND out &&
	./ask DELETE /api/2.0/mlflow/runs/get >out && test_grep ^405 out &&
	stop
'

test_expect_success 'tokens are shown once and stored hashed' '
	mlp server token add reader --scope read >reader 2>note &&
	mlp server token add writer --scope write >writer 2>>note &&
	test_grep "^mlp_1_" reader && test_grep "only time" note &&
	mlp server token list --json >list &&
	test_line_count = 2 list && test_grep "\"scope\":\"write\"" list &&
	secret=$(sed s/mlp_1_// reader) &&
	! grep -aq "$secret" .mlp/mlp.db* &&
	test_must_fail mlp server token add reader --scope admin
'

run='{"experiment_id": "0", "run_name": "one"}'
basic()
{
	printf 'Authorization:Basic %s' "$(printf '%s:%s' "$1" "$2" | base64 | tr -d '\n')"
}

test_expect_success 'without a valid token: 401' '
	serve . --auth &&
	./ask GET /health >out && test_grep ^200 out &&
	./ask GET / >out && test_grep ^200 out &&
	./ask POST /api/2.0/mlflow/runs/create "$run" >out && test_grep ^401 out &&
	test_grep "WWW-Authenticate: Basic" out && test_grep UNAUTHENTICATED out &&
	bad=$(sed "s/.\$/x/" reader) &&
	./ask GET /metrics "" "Authorization:Bearer $bad" >out && test_grep ^401 out &&
	./ask GET /metrics "" "$(basic writer "$(cat reader)")" >out && test_grep ^401 out &&
	./ask GET /metrics "" "Authorization:Basic !!!" >out && test_grep ^401 out &&
	./ask PUT /api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/y data >out && test_grep ^401 out
'

test_expect_success 'scopes are kept' '
	./ask POST /api/2.0/mlflow/runs/create "$run" "Authorization:Bearer $(cat reader)" >out &&
	test_grep ^403 out && test_grep PERMISSION_DENIED out &&
	./ask POST /api/2.0/mlflow/runs/create "$run" "Authorization:Bearer $(cat writer)" >out &&
	test_grep ^200 out &&
	id=$(sed -n "s/.*\"run_id\":\"\([0-9a-f]*\)\".*/\1/p" out) &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$id" "" "$(basic reader "$(cat reader)")" >out &&
	test_grep ^200 out &&
	./ask PUT "/api/2.0/mlflow-artifacts/artifacts/0/$id/artifacts/y" data \
		"$(basic reader "$(cat reader)")" >out && test_grep ^403 out &&
	./ask PUT "/api/2.0/mlflow-artifacts/artifacts/0/$id/artifacts/y" data \
		"$(basic writer "$(cat writer)")" >out && test_grep ^200 out &&
	stop
'

test_expect_success SQLITE3 'writes are in the audit with their token, refusals are not' '
	sqlite3 .mlp/mlp.db "SELECT token, method, status FROM audit ORDER BY id" >out &&
	test_write_lines "writer|POST|200" "writer|PUT|200" >exp && test_cmp exp out
'

test_expect_success 'a token of an experiment reaches nothing else' '
	mlp train -e other -- true >/dev/null 2>&1 &&
	mlp server token add mine --scope write --experiment other >mine 2>note &&
	other=$(mlp log --json -e other | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p") &&
	serve . --auth && mine="Authorization:Bearer $(cat mine)" &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$other" "" "$mine" >out && test_grep ^200 out &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$id" "" "$mine" >out && test_grep ^403 out &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$other&run_uuid=$id" "" "$mine" >out &&
	test_grep ^403 out &&
	./ask POST /api/2.0/mlflow/runs/create "$run" "$mine" >out && test_grep ^403 out &&
	./ask POST /api/2.0/mlflow/runs/search "{}" "$mine" >out && test_grep ^403 out &&
	./ask GET "/api/2.0/mlflow-artifacts/artifacts/0/$id/artifacts/y" "" "$mine" >out &&
	test_grep ^403 out &&
	./ask GET "/get-artifact?run_id=$id&path=y" "" "$mine" >out && test_grep ^403 out &&
	./ask GET /metrics "" "$mine" >out && test_grep ^403 out
'

# allowed STATUS METHOD PATH [JSON]: with the token of an experiment.
allowed()
{
	./ask "$2" "/api/2.0/mlflow/$3" "${4-}" "$mine" >out && test_grep "^$1" out
}

test_expect_success 'an argument that an endpoint does not use opens nothing' '
	all="Authorization:Bearer $(cat writer)" && own="\"run_id\":\"$other\"" &&
	./ask POST /api/2.0/mlflow/registered-models/create "{\"name\":\"prod\"}" "$all" >out &&
	test_grep ^200 out &&
	for change in "POST registered-models/create" "DELETE registered-models/delete" \
		"POST registered-models/rename" "POST registered-models/set-tag" \
		"POST registered-models/alias" "POST model-versions/create" \
		"POST experiments/create" "POST experiments/search"
	do
		# shellcheck disable=SC2086 # two words
		allowed 403 $change "{\"name\":\"prod\",\"new_name\":\"x\",\"key\":\"k\",\
\"alias\":\"a\",\"version\":\"1\",\"source\":\"runs:/$other/m\",$own}" || return 1
	done &&
	allowed 403 GET "registered-models/get?name=prod&run_id=$other" &&
	allowed 403 POST runs/create "{$own}" &&
	allowed 403 POST runs/search "{$own}" &&
	allowed 403 GET "experiments/get-by-name?run_id=$other" &&
	allowed 200 GET "experiments/get-by-name?experiment_name=other" &&
	allowed 200 GET server-info
'

test_expect_success 'nor may it name models of others, within lists either' '
	./ask POST /api/2.0/mlflow/logged-models "{\"experiment_id\":\"0\",\"name\":\"m\"}" "$all" >out &&
	theirs=$(sed -n "s/.*\"model_id\":\"\([^\"]*\)\".*/\1/p" out) && test -n "$theirs" &&
	allowed 200 GET "experiments/get-by-name?experiment_name=other" &&
	e=$(sed -n "s/.*\"experiment_id\":\"\([0-9]*\)\".*/\1/p" out) &&
	allowed 200 POST logged-models "{\"experiment_id\":\"$e\",\"name\":\"m\"}" &&
	ours=$(sed -n "s/.*\"model_id\":\"\([^\"]*\)\".*/\1/p" out) &&
	for model in "403 $theirs" "200 $ours"
	do
		status=${model% *} && model="\"model_id\":\"${model#* }\"" &&
		point="\"key\":\"k\",\"value\":1,\"timestamp\":1,$model" &&
		allowed "$status" POST runs/log-metric "{$own,$point}" &&
		allowed "$status" POST runs/log-batch "{$own,\"metrics\":[{$point}]}" &&
		allowed "$status" POST runs/log-inputs "{$own,\"models\":[{$model}]}" &&
		allowed "$status" POST runs/outputs "{$own,\"models\":[{$model}]}" || return 1
	done &&
	allowed 403 GET "logged-models/$theirs?model_id=$ours&run_id=$other" &&
	allowed 200 GET "logged-models/$ours"
'

test_expect_success 'a revoked token is refused at once, its row stays' '
	mlp server token revoke mine &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$other" "" "$mine" >out && test_grep ^401 out &&
	mlp server token list --json | grep mine >row && ! grep "\"revoked\":null" row &&
	mlp server token add mine --scope read >/dev/null 2>&1 &&
	stop
'

test_expect_success 'an access log of JSON lines, opened anew on SIGHUP' '
	serve . --access-log log &&
	./ask GET "/api/2.0/mlflow/runs/get?run_id=$id" >/dev/null && test_wait_for 20 test -s log && mv log log.1 &&
	kill -HUP "$server" && i=0 &&
	until test -f log || test $((i = i + 1)) -gt 100; do sleep 0.05; done &&
	./ask GET /health >/dev/null && stop &&
	python3 -c "
import json
(one,), (two,) = ([json.loads(l) for l in open(f)] for f in (\"log.1\", \"log\"))
assert one[\"method\"] == \"GET\" and one[\"status\"] == 200 and one[\"bytes\"] > 10, one
assert two[\"path\"] == \"/health\" and two[\"duration_us\"] >= 0, two"
'

test_expect_success 'an access log that nobody reads stops nothing' '
	python3 - <<\EOF
import http.client, subprocess
server = subprocess.Popen(["mlp", "server", "-p", "0", "--access-log", "-"], stdout=subprocess.PIPE)
try:
    port = int(server.stdout.readline().decode().rsplit(":", 1)[1])
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for i in range(200):
        c.request("GET", "/" + "x" * 2000)
        assert c.getresponse().read()
    c.request("GET", "/metrics")
    text = c.getresponse().read().decode()
    assert "mlp_access_log_dropped_total 0\n" not in text and "mlp_access_log_dropped_total" in text, text
finally:
    server.terminate()
    assert server.wait() == 0
EOF
'

# A request is counted, and its connection closed, a moment after its answer.
metrics_are_right()
{
	./ask GET /metrics >out &&
	grep "mlp_http_requests_total{method=\"GET\",route=\"mlflow/runs/get\",status=\"200\"} 1" out &&
	grep "route=\"other\",status=\"404\"} 1" out &&
	grep "duration_seconds_bucket{.*le=\"+Inf\"} 1" out &&
	grep "^mlp_store_bytes [1-9]" out && grep "^mlp_http_connections 1" out
}

test_expect_success 'metrics for Prometheus' '
	serve . && ./ask GET "/api/2.0/mlflow/runs/get?run_id=$id" >/dev/null &&
	./ask GET /nothing >/dev/null && test_wait_for 20 metrics_are_right
'

test_write_script send-method '/usr/bin/env python3' <<'EOT'
import os, socket, sys
s = socket.create_connection(("127.0.0.1", int(os.environ["port"])), timeout=20)
s.send((sys.argv[1] + " /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").encode())
assert b" 200 " in s.recv(4000)
EOT

made_up_are_counted()
{
	./ask GET /metrics >out && grep "{method=\"other\",route=\"health\",status=\"200\"} 3" out
}

test_expect_success 'methods that clients make up are one in the metrics' '
	for method in M1 M2 "x\",evil=\""
	do
		./send-method "$method" || return 1
	done &&
	test_wait_for 20 made_up_are_counted && test_grep ! -e M1 -e M2 -e evil out && stop
'

certificate()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 \
		-subj "/CN=$1" -addext subjectAltName=DNS:localhost 2>/dev/null
}

test_expect_success OPENSSL 'TLS, and another certificate on SIGHUP' '
	certificate one && serve . --tls-cert cert.pem --tls-key key.pem &&
	test_grep "listening on https://" server.out &&
	TLS=cert.pem ./ask GET /health >out && test_grep ^200 out &&
	certificate two && test_must_fail env TLS=cert.pem ./ask GET /health 2>/dev/null &&
	kill -HUP "$server" && i=0 &&
	until TLS=cert.pem ./ask GET /health >out 2>/dev/null || test $((i = i + 1)) -gt 50
	do sleep 0.1; done &&
	test_grep ^200 out &&
	echo bad >cert.pem && kill -HUP "$server" && i=0 &&
	until grep -q "stays as it was" server.err || test $((i = i + 1)) -gt 50
	do sleep 0.1; done &&
	test_grep "stays as it was" server.err && stop &&
	test_expect_code 128 mlp server -p 0 --tls-cert cert.pem --tls-key key.pem
'

test_expect_success OPENSSL 'TLS: who may not send a file is told so when it was sent' '
	certificate one && serve . --auth --tls-cert cert.pem --tls-key key.pem &&
	cat >refused.py <<\EOF &&
import http.client, os, ssl
c = http.client.HTTPSConnection("localhost", int(os.environ["port"]), timeout=20,
                                context=ssl.create_default_context(cafile="cert.pem"))
for token, want in (open("reader").read().strip(), 403), ("none", 401):
    for body in (b"x", b"x" * 20000000, iter([b"x" * 1000000] * 20)):
        c.request("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/y", body,
                  {"Authorization": "Bearer " + token})
        r = c.getresponse()
        assert (r.status, r.read() != b"") == (want, True), (r.status, want)
EOF
	python3 refused.py && stop
'

threads()
{
	ls "/proc/$server/task" | wc -l
}

# In the end: the threads of an older certificate go after the new one is there.
has_threads()
{
	test "$(threads)" -eq "$1"
}

# reload: returns once the server has begun to; then what it did the time before is done.
reload()
{
	rm -f log && kill -HUP "$server" && test_wait_for 20 test -f log
}

answers_with_tls()
{
	TLS=cert.pem ./ask GET /health 2>/dev/null | grep ^200
}

test_expect_success OPENSSL 'certificates that come later take no more threads for ever' '
	certificate one && serve . --tls-cert cert.pem --tls-key key.pem --access-log log &&
	one=$(threads) && reload && reload && has_threads "$one" &&
	certificate two && reload && test_wait_for 20 answers_with_tls && two=$(threads) &&
	test "$two" -gt "$one" &&
	for name in three four
	do
		certificate $name && reload && test_wait_for 20 answers_with_tls || return 1
	done &&
	test_wait_for 20 has_threads "$two" && stop
'

# Starts the command after "--" with a socket passed and a socket to be told on.
test_write_script as-service '/usr/bin/env python3' <<'EOT'
import os, signal, socket, subprocess, sys
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(os.path.abspath("notify"))
told.settimeout(20)
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
pid = os.fork()
if pid == 0:
    fd = os.dup(s.fileno())
    os.dup2(fd, 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", NOTIFY_SOCKET=os.path.abspath("notify"))
    os.execvp("mlp", ["mlp", "server"])
import atexit
atexit.register(lambda: pid and os.kill(pid, signal.SIGKILL))
assert told.recv(100) == b"READY=1"
import http.client
c = http.client.HTTPConnection("127.0.0.1", s.getsockname()[1], timeout=20)
c.request("GET", "/health")
assert c.getresponse().status == 200
os.kill(pid, signal.SIGHUP)
assert told.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
assert told.recv(100) == b"READY=1"
os.kill(pid, signal.SIGTERM)
assert told.recv(100) == b"STOPPING=1"
assert os.waitpid(pid, 0)[1] == 0
pid = 0
EOT

test_expect_success 'socket activation and readiness as systemd has them' '
	./as-service
'

test_done
