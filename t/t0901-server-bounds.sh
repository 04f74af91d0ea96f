#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server: clients that are slow, large or rude do not harm the others.
. "${srcdir:-.}/t/test-lib.sh"
test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

mlp init >/dev/null
serve . || die "no server: $(cat server.err)"

cat >common.py <<'EOT'
import http.client, json, os, socket, time
port = int(os.environ["port"])
def connect():
    return socket.create_connection(("127.0.0.1", port), timeout=60)
def ask(method, path, body=None, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request(method, path, body, headers)
    r = c.getresponse()
    return r.status, r.read()
EOT

test_expect_success 'hundreds of slow clients: others are served at once' '
	python3 -c "
from common import *
slow = [connect() for i in range(300)]
for s in slow: s.send(b\"GET /health HTTP/1.1\r\nHo\")
begin = time.time()
for i in range(50): assert ask(\"GET\", \"/health\")[0] == 200
assert time.time() - begin < 10, time.time() - begin
"
'

test_expect_success 'headers that come a byte a second are cut off' '
	python3 -c "
from common import *
s = connect()
s.send(b\"GET /health HTTP/1.1\r\nX: \")
begin = time.time()
try:
    while time.time() - begin < 40:
        s.send(b\"x\")
        time.sleep(1)
except OSError:
    pass
assert 15 < time.time() - begin < 30, time.time() - begin
"
'

test_expect_success 'bodies and headers that are too large are refused' '
	python3 -c "
from common import *
s = connect()
s.send(b\"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n\")
assert b\" 413 \" in s.recv(1000)
assert ask(\"POST\", \"/api/2.0/mlflow/runs/create\", b\" \" * 100000000, {\"Content-Type\": \"application/json\"})[0] == 413
many = \"&\".join([\"a=%d\" % i for i in range(1001)])
assert ask(\"GET\", \"/health?\" + many)[0] == 414
assert ask(\"GET\", \"/health?\" + many[:many.rindex(\"&\")])[0] == 200
assert ask(\"GET\", \"/health?\" + \"&\" * 40000)[0] == 431
assert ask(\"GET\", \"/health\", headers={\"X\": \"x\" * 40000})[0] == 431
assert ask(\"GET\", \"/health\", headers={\"X\": \"x\" * 30000})[0] == 200
s = connect()
try:
    s.send(b\"GET /health HTTP/1.1\r\nHost: localhost\r\nX: \" + b\"x\" * 300000 + b\"\r\n\r\n\")
    answer = s.recv(1000)
except OSError:
    answer = b\"\"
assert not answer or b\" 431 \" in answer or b\" 413 \" in answer, answer
assert ask(\"GET\", \"/health\")[0] == 200
"
'

test_expect_success 'what is no HTTP ends the connection, nothing more' '
	python3 -c "
from common import *
for junk in (b\"\0\" * 100, b\"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\", b\"GET\r\n\r\n\", b\"POST / HTTP/9.9\r\n\r\n\",
             b\"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n\", b\"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n\",
             b\"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\"):
    s = connect()
    s.send(junk)
    s.shutdown(socket.SHUT_WR)
    try: s.recv(1000)
    except OSError: pass
assert ask(\"GET\", \"/health\")[0] == 200
"
'

test_expect_success 'more connections than there may be: it serves on, and ends' '
	python3 -c "
from common import *
import resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 <= hard < 4096 else 4096, hard))
many = [connect() for i in range(1100)]
for s in many: s.close()
for i in range(10): assert ask(\"GET\", \"/health\")[0] == 200
" && stop && serve .
'

test_expect_success 'a store that another program writes to holds up writes only' '
	cat >locked.py <<\EOF &&
from common import *
import sqlite3
def post(path, body):
    return ask("POST", "/api/2.0/mlflow/" + path, json.dumps(body), {"Content-Type": "application/json"})
run = json.loads(post("runs/create", {"experiment_id": "0"})[1])["run"]["info"]["run_id"]
db = sqlite3.connect(".mlp/mlp.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
body = json.dumps({"run_id": run, "key": "k", "value": 1, "timestamp": 1}).encode()
writer = connect()
writer.send(b"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
time.sleep(0.3)
begin = time.time()
for i in range(20):
    assert ask("GET", "/health")[0] == 200
    assert post("runs/search", {"experiment_ids": ["0"]})[0] == 200
assert time.time() - begin < 20, time.time() - begin
db.execute("ROLLBACK")
assert b" 200 " in writer.recv(1000)
EOF
	python3 locked.py
'

test_expect_success 'requests under way are answered before the end' '
	python3 -c "
from common import *
import signal
s = connect()
body = json.dumps({\"experiment_id\": \"0\", \"run_name\": \"late\"}).encode()
s.send(b\"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n\" % len(body))
assert b\" 100 \" in s.recv(1000)
os.kill(int(os.environ[\"server\"]), signal.SIGTERM)
time.sleep(0.3)
s.send(body)
assert b\" 200 \" in s.recv(1000)
" && wait "$server"
'

test_done
